"""Networks of one unit a layer and their plateaus, against products and steps that are written out."""

import numpy as np
import pytest
import torch

from urep.experiments import departures, runs
from urep.experiments.waiting import SHARES


def test_a_deep_unit_multiplies_its_weights():
    network = departures.deep_unit(np.array([2.0, 3.0]), np.array([0.5, -1.0]))
    outputs = network(torch.tensor([[10.0]], dtype=torch.float64))
    np.testing.assert_allclose(outputs.detach().numpy(), [[0.2 * 2 * 3 * 10 * 0.5, -0.2 * 2 * 3 * 10]])


def test_decoders_stand_at_the_angles_that_were_asked_for():
    toward = departures.two_outputs()[1].diff(dim=0)[0].numpy() / departures.D
    for angle, way in zip((0.0, 0.7, -2.0), departures.turned(np.array([0.0, 0.7, -2.0])), strict=True):
        assert way @ way == pytest.approx(1)
        assert way @ toward == pytest.approx(np.cos(angle))


@pytest.mark.parametrize("count", [1, 3])
def test_half_of_a_plateau_is_left_when_small_steps_say_so(count):
    size, turn, step = 6.0, 1.0, 5e-4
    first, inner = 0.1 / size, np.full(count - 1, 2.0)
    last, goal = size * np.array([np.cos(turn), np.sin(turn)]), np.array([1.0, 0.0])
    for epoch in range(500_000):
        missing = first * inner.prod() * last - goal
        if epoch > 100 and missing @ missing < 0.5 * np.sin(turn) ** 2:
            break
        pull = missing @ last
        moves = first * pull * inner.prod() / inner
        first, inner, last = (
            first - step * pull * inner.prod(),
            inner - step * moves,
            last - step * missing * first * inner.prod(),
        )
    assert departures.large_decoder_halfway(count, size, turn) == pytest.approx(epoch * step, rel=0.01)


def test_a_run_from_when_the_mean_is_learned_has_its_own_ratio_and_start(monkeypatch):
    asked = []
    monkeypatch.setattr(departures, "by_depth", lambda *known: asked.append(known) or (len(asked), 0.0))
    one = runs.angled_runs("Linear", "angles")[0]
    seen, *told = departures.from_the_mean(one)
    v = (one.run.trajectory.dy2 - one.run.trajectory.w) / one.run.task.dy2_target
    at = [one.run.t[np.argmax(v >= share)] for share in SHARES]
    logit = [np.log(share / (1 - share)) for share in SHARES]
    escape, arrival = ((logit[k + 1] - logit[k]) / (at[k + 1] - at[k]) for k in (0, -2))
    assert seen == pytest.approx(arrival / escape, rel=0.1) and told == [1, 2]
    for (start, layers, across, birth, _), kind in zip(asked, ("random", "inherited"), strict=True):
        assert (layers, across) == (20, kind)
        row = np.argmin(np.abs(one.run.t - one.t1))
        assert start[0] ** 2 == pytest.approx(one.run.trajectory.dh2[row], rel=0.05)
        assert birth.u**2 == pytest.approx(one.run.trajectory.dh2[0], rel=0.05)
