# make book        the site, in _build/html: pages that changed are executed side by side, then all are built
# make test        every test, nbval on the chapters included; ARGS="tests/test_fit.py -k noise" for some
# Each sets itself up in .venv, and neither needs the other.
# make portable    nbval and the tests that compute, under other instruction sets, threads and initial weights
# make mutations   every mutant of every equation against the derivations, a quarter of an hour
# make proofs      the proofs of tests/proofs, by the kernel of Coq; ARGS=--mutants for wrong equations too;
#                  and what rounding can do to `solve`, by ball arithmetic
# make references  the executed chapters in tests/notebooks; ARGS=book/theory/model.md for one
# make runs        the stored runs that are missing: hours for all, ARGS=universal for one experiment
# make notebooks   the chapters as ordinary notebooks, in notebooks/
# make links       which links to other hosts lead nowhere
# make bench       how fast solution, fit, training and site are; ratios against what they replace; Lighthouse
# make picture     the pictures of the README, of the site as it is now
# make lint        formats the code and mends what ruff can
# make setup       .venv alone
# make clean       removes what was built, executed pages too

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Everything starts from this machine's own arithmetic; tests/arithmetic.py chooses another one.
unexport ATEN_CPU_CAPABILITY ONEDNN_MAX_CPU_ISA OPENBLAS_CORETYPE OPENBLAS_L2_SIZE MKL_CBWR
unexport NUMBA_CPU_NAME NUMBA_CPU_FEATURES NPY_DISABLE_CPU_FEATURES UREP_PERTURB

# A file is one worker's, the longest first: tests/conftest.py sorts them.
# As many at once as this process may use: a container or `taskset` may give fewer than the machine has.
CORES = $(shell $(BIN)/python -c 'import joblib; print(joblib.cpu_count())')
PYTEST = $(BIN)/python -m pytest -n $(CORES) --dist loadscope --no-loadscope-reorder
COMPUTING := tests/notebooks $(addprefix tests/test_,runs.py training.py fused.py exact.py fit.py theory.py \
             structure.py alternatives.py measures.py tasks_networks.py)

.PHONY: help setup book test portable mutations proofs references runs notebooks links bench picture lint clean

help:
	@sed -n '/^$$/q; s/^# //p' Makefile

setup: $(READY)

$(READY): requirements.txt requirements-site.txt pyproject.toml $(wildcard book/_ext/node/*.json)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try make PYTHON=python3.11")'
	@echo "== setting up $(VENV), once: a few minutes, most of them for torch"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps -r requirements-site.txt
	$(BIN)/python book/_ext/from_npm.py
	@touch $@

book: $(READY)
	@echo "== building the book: chapters that changed are executed, warnings and failed checks stop the build"
	rm -rf _build/html
	$(BIN)/jupyter-book build . --all -W -n --keep-going
	@echo "== open _build/html/index.html"

test: $(READY)
	@echo "== running the tests: urep, the chapters against their references, the site"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PYTEST) $(ARGS)

portable: $(READY)
	@echo "== running nbval and the tests that compute, as other processors would round"
	$(BIN)/python tests/arithmetic.py portable -- $(PYTEST) $(or $(ARGS),$(COMPUTING))

mutations: $(READY)
	@echo "== running the derivations with every mutant of the equations that they claim"
	$(BIN)/python tests/mutations.py $(ARGS)

proofs: $(READY)
	@$(BIN)/python tests/proofs/check.py $(ARGS)
	@$(BIN)/python tests/proofs/boxes.py

references: $(READY)
	@echo "== executing chapters and replacing their references in tests/notebooks"
	$(BIN)/python tests/references.py $(ARGS)

runs: $(READY)
	@$(BIN)/python -m urep.experiments.make $(ARGS)

notebooks: $(READY)
	$(BIN)/python book/_ext/notebooks.py notebooks

links: $(READY)
	$(BIN)/jupyter-book config sphinx .
	PYTHONPATH=book/_ext $(BIN)/sphinx-build -q -b linkcheck -D nb_execution_mode=off . _build/links
	rm -f conf.py

bench: $(READY)
	$(BIN)/python tests/bench.py
	$(BIN)/python tests/bench_site.py $(ARGS)

picture: book
	$(BIN)/python tests/screenshot.py "theory/identical_outputs#where-the-theory-s-premises-hold" book/_static/chapter.png
	$(BIN)/python tests/screenshot.py "explorer#urep-explorer" book/_static/explorer.png --width 1400

lint: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
