"""What `make` offers: each target is in `make help`, and names of tests in it exist."""

import re
import subprocess

import references

MAKEFILE = (references.ROOT / "Makefile").read_text(encoding="utf-8")


def test_help_names_every_target():
    targets = set(re.search(r"^\.PHONY: (.+)$", MAKEFILE, flags=re.M)[1].split())
    shown = subprocess.run(["make", "help"], cwd=references.ROOT, capture_output=True, text=True, check=True)
    assert set(re.findall(r"^make (\w+)", shown.stdout, flags=re.M)) == targets - {"help"}


def test_the_computing_tests_of_portable_exist():
    names = re.search(r"addprefix tests/test_,((?:[^)\\]|\\\n)+)\)", MAKEFILE)[1].replace("\\", "").split()
    assert len(names) >= 5
    missing = [name for name in names if not (references.ROOT / "tests" / f"test_{name}").exists()]
    assert not missing
