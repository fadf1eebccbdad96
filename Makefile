# make book   the site, in _build/html, every chapter executed
# make test   every test, nbval on the chapters included
# Each sets itself up in .venv, and neither needs the other.
# make runs   the stored runs that are missing: hours for all, ARGS=universal for one experiment
# make notebooks   the chapters as ordinary notebooks, in notebooks/
# make links  which links to other hosts lead nowhere
# make bench  how fast urep.solve and urep.fit_rates are, against what they replace

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup book test references runs notebooks links bench picture lint clean

help:
	@sed -n 's/^# //p' Makefile

setup: $(READY)

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try make PYTHON=python3.11")'
	@echo "== setting up $(VENV), once: a few minutes, most of them for torch"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	@touch $@

book: $(READY)
	@echo "== building the book: every chapter is executed, warnings and failed checks stop the build"
	rm -rf _build
	$(BIN)/jupyter-book build . --all -W -n --keep-going
	@echo "== open _build/html/index.html"

test: $(READY)
	@echo "== running the tests: urep, the chapters against their references, the site"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest $(ARGS)

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

picture: book
	$(BIN)/python tests/screenshot.py "theory/identical_outputs#where-the-theory-s-premises-hold" book/_static/chapter.png
	$(BIN)/python tests/screenshot.py "explorer#urep-explorer" book/_static/explorer.png --width 1400

lint: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
