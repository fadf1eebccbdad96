"""The table over γ, plain networks trained at once, and what is carried, against single networks."""

import numpy as np
import pytest
import torch

from urep import tasks
from urep.zoo import catalogue, lighter, protocol, sheets, weights


def test_networks_trained_at_once_are_networks_trained_alone():
    """By an optimizer of torch; the last of them is not done in time."""
    found = lighter.plain_epochs([3], epochs=400, lr=0.05)
    x, targets = tasks.two_points(dy2_target=0.5, dtype=torch.float64)
    for gamma, end in zip(weights.GAMMAS, found[0], strict=True):
        torch.manual_seed(3)
        first, second, last = (weights.dense(a, b, 0.7) for a, b in ((2, 104), (104, 104), (104, 1)))
        network = torch.nn.Sequential(first, torch.nn.LeakyReLU(), second, torch.nn.LeakyReLU(), last)
        descent = torch.optim.SGD(network.parameters(), lr=0.05)
        rows, seen = torch.cat([x, torch.full_like(x, gamma)], 1), lighter.LATEST
        for epoch in range(400):
            loss = (network(rows) - targets).square().mean() / 2
            if loss <= 1e-3:
                seen = epoch
                break
            descent.zero_grad()
            loss.backward()
            descent.step()
        assert end == seen
    assert found.min() < lighter.LATEST
    assert (lighter.plain_epochs([3], epochs=2) == lighter.LATEST).all()


def test_what_is_carried_is_the_median_of_the_seeds_that_learn():
    count, up, down = lighter.carried(["linear", "snnk"])
    network = catalogue.system("snnk").network(0, 1.0)
    assert count[1] == sum(part.numel() for part in network.parameters() if part.requires_grad)
    arrays = sheets.sheet("snnk").arrays
    learned = arrays["learned"][:, 0]
    r2 = np.median(np.float64(arrays["carried_r2"][learned])[:, 0, 0, 0, :2], axis=0)
    assert up[1] == pytest.approx(1 - min(r2))
    error = np.median(np.float64(arrays["carried_error"][learned])[:, 0, :, 1, 1], axis=0)
    assert down[1] == pytest.approx(error[0] / error[list(protocol.MODELS).index("scaled")])


def test_a_number_stands_at_each_gamma():
    table = lighter.by_gamma("size", {"one": [0.011, 0.1, 1]})
    assert table.head == ["network", "size at γ = 0.01", "size at γ = 0.1", "size at γ = 1"]
    assert table.rows == [["one", "0.01", "0.10", "1.00"]]


def test_starts_are_counted_that_come_below_a_tenth():
    losses = np.ones((2, 2, 3, 8))
    losses[0, 1, 2, 4:] = 0.09  # one start of XOR at 64 units
    single = np.ones((2, 2, 8))
    single[:, 0, 7] = 0.05
    rows = lighter.solved_table({"subspaces": losses, "coordinates": single}).rows
    assert rows[5] == ["XOR", "64 units", *"00001111"]
    assert rows[6] == ["two points", "32, single weights", *"00000002"]
    assert [row[2:] for row in rows[:5]] == [["0"] * 8] * 5 and len(rows) == 8


def test_settings_are_those_of_the_rows_that_are_asked_for():
    rows = lighter.settings_table(10).rows
    assert rows and all(name.startswith("subspace") for name, *_ in rows)
    assert {by for *_, by in rows} <= {"hand", "rule"}
