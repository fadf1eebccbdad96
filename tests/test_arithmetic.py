"""Other arithmetics are really active where they are asked for, and a perturbation moves nothing else."""

import json
import subprocess
import sys

import arithmetic
import execution
import pytest

DRAW = """
import json, torch
from torch import nn
dtype = getattr(torch, {dtype!r})
torch.manual_seed(0)
layer = nn.Linear(25, 1, bias=False, dtype=dtype).weight
drawn = [nn.init.xavier_normal_(torch.empty(5, 5, dtype=dtype), generator=torch.Generator().manual_seed(1))
         for _ in range(2)]
print(json.dumps([tensor.flatten().tolist() for tensor in (layer, *drawn, torch.rand(3))]))
"""
"""Weights of a layer, of a network drawn twice from one seed, and what the global state gives afterwards."""


@pytest.mark.parametrize("name", arithmetic.ARITHMETICS)
def test_an_arithmetic_is_what_libraries_say_of_themselves(name):
    if not arithmetic.possible(name):
        pytest.skip("this processor has no AVX2")
    seen = arithmetic.demand(name)
    assert {key: seen[key] for key in arithmetic.expected(name)} == arithmetic.expected(name)


def test_stored_repeats_and_tests_mean_the_same_arithmetic():
    """The variables that choose instructions; the tests also choose threads, and disable more by name."""
    from urep.experiments.trial import ARITHMETICS

    for stored, own in (("AVX2", "haswell"), ("oldest", "oldest")):
        for name in ("ATEN_CPU_CAPABILITY", "OPENBLAS_CORETYPE", "MKL_CBWR", "NUMBA_CPU_NAME"):
            assert ARITHMETICS[stored][name] == arithmetic.ARITHMETICS[own].get(
                name, ARITHMETICS[stored][name]
            )


def test_pages_record_every_variable_that_an_arithmetic_sets():
    chosen = {name for variables in arithmetic.ARITHMETICS.values() for name in variables}
    assert chosen - set(arithmetic.THREADS) <= set(execution.ROUNDING)


def test_an_arithmetic_that_is_not_active_is_refused(monkeypatch):
    monkeypatch.setitem(
        arithmetic.ARITHMETICS, "other", {"OMP_NUM_THREADS": "1", "ATEN_CPU_CAPABILITY": "no"}
    )
    with pytest.raises(RuntimeError, match="other is not what this machine computes"):
        arithmetic.demand("other")
    with pytest.raises(ValueError, match="'newest' is no arithmetic; there are native, oldest"):
        arithmetic.environment("newest")


def test_no_arithmetic_takes_over_what_this_process_is_asked_for(monkeypatch):
    for name in arithmetic.ROUNDING:
        monkeypatch.setenv(name, "1")
    for name, own in arithmetic.ARITHMETICS.items():
        asked = arithmetic.environment(name)
        assert {key: asked[key] for key in arithmetic.ROUNDING if key in asked} == {
            key: value for key, value in own.items() if key in arithmetic.ROUNDING
        }


def test_portable_skips_what_this_processor_cannot_do_and_says_so(monkeypatch, capsys):
    started = []
    monkeypatch.setattr(arithmetic, "possible", lambda name: name != "haswell")
    monkeypatch.setattr(arithmetic, "demand", lambda name: started.append(name) or {})
    assert arithmetic.main(["portable"]) == 0
    assert started == ["oldest", "perturbed"]
    assert "== haswell: skipped" in capsys.readouterr().out


@pytest.mark.parametrize(("dtype", "size"), [("float32", 1e-7), ("float64", 1e-12)])
def test_perturbed_weights_are_a_little_off_and_other_draws_are_not(dtype, size):
    layer, network, _, global_draw = _drawn("native", dtype)
    layer_off, network_off, again_off, global_draw_beside = _drawn("perturbed", dtype)
    for plain, off in ((layer, layer_off), (network, network_off)):
        moved = [abs(b / a - 1) for a, b in zip(plain, off, strict=True)]
        assert 0.3 * size < max(moved) < 6 * size
    assert network_off == again_off
    assert global_draw_beside == global_draw


def _drawn(name, dtype):
    done = subprocess.run(
        [sys.executable, "-c", DRAW.format(dtype=dtype)],
        env=arithmetic.environment(name),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_a_page_is_executed_again_under_another_arithmetic():
    variables = {name for each in arithmetic.ARITHMETICS.values() for name in each}
    assert variables <= {*execution.ROUNDING, *execution.THREADS}
    assert arithmetic.ROUNDING == execution.ROUNDING
    assert arithmetic.THREADS == execution.THREADS
