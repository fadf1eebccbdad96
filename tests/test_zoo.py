"""The protocol of the zoo, on runs and scores made here."""

import re

import numpy as np
import pytest
import torch
from torch import nn

import urep
from urep import figures
from urep.site import zoo
from urep.training import decoder_gradient, matrices_by
from urep.zoo import catalogue, papers, protocol, sheets
from urep.zoo.system import Settings, System, centred_pair, function_pair, paper_pair


def score(in_sample=0.99, up=0.99, down=0.1, scaled=0.4, seeds=3, learned=True):
    """A score whose theory has these R² of both distances and this error, at both clocks."""
    r2 = np.full((seeds, 2, 3), in_sample)
    carried_r2 = np.full((seeds, 2, 3, 2, 3), up)
    error = np.zeros((seeds, 2, 3, 2, 3))
    error[:, :, 0], error[:, :, 2] = down, scaled
    return {"r2": r2, "curve_r2": r2, "carried_r2": carried_r2, "carried_error": error,
            "learned": np.full((seeds, 3), learned)}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "law"),
        ({"in_sample": 0.901}, "law"),
        ({"in_sample": 0.899}, "neither"),
        ({"up": 0.901}, "law"),
        ({"up": 0.899}, "curve"),
        ({"down": 0.199}, "law"),
        ({"down": 0.201}, "curve"),
        ({"up": np.nan}, "curve"),
        ({"in_sample": np.nan}, "neither"),
        ({"learned": False}, "does not learn"),
    ],
)
def test_the_verdict_changes_at_its_bounds(changes, word):
    assert protocol.verdict(score(**changes)) == word


def test_the_median_of_the_seeds_that_learn_decides():
    made = score(seeds=5)
    made["r2"][3:] = -4.0
    assert protocol.verdict(made) == "law"
    made["learned"][0] = False
    made["r2"][2] = -4.0
    assert protocol.verdict(made) == "neither"
    made["learned"][:3] = False
    assert protocol.verdict(made) == "does not learn"


def test_the_scaled_logistic_is_its_own_null_twice_over_the_bound():
    np.testing.assert_allclose(protocol.law_miss(score(), "scaled"), 2.0)


def test_w_is_shown_and_not_judged():
    made = score()
    made["r2"][..., 2] = made["carried_r2"][..., 2] = -9.0
    assert protocol.verdict(made) == "law"


@pytest.mark.parametrize("pair", [paper_pair, centred_pair, function_pair(8)])
def test_the_three_pairs_have_the_same_inputs_and_mean_target(pair):
    inputs, targets = zip(*(pair(dy2) for dy2 in protocol.PAIRS.values()), strict=True)
    for other in inputs[1:]:
        assert torch.equal(other, inputs[0])
    for dy2, target in zip(protocol.PAIRS.values(), targets, strict=True):
        assert float((target[1] - target[0]).square().sum()) == pytest.approx(dy2)
        assert target.mean() == pytest.approx(float(targets[0].mean()), abs=1e-12)


def a_run(mean_error2, tau_mean, epochs=200):
    """A run of (7) whose loss has a mean that decays, from the exact solution and (9)."""
    t = np.arange(float(epochs))
    task, rates = urep.TwoPoint(1.0, 0.5), urep.Rates(20.0, 20.0)
    state = urep.solve(urep.State(0.05, 1e-4, 1e-4 - 0.01 * 0.5**0.5), task, rates, t)
    loss = urep.loss(state, task, t, tau_mean=tau_mean, mean_error2=mean_error2)
    return urep.Run(t, state, loss, task, 1.0)


def test_a_run_is_continued_as_it_ended():
    run = a_run(0.0, 10.0)
    longer = protocol.continued(run)
    assert (
        len(longer) == 300
        and longer.t[-1] == 299
        and (longer.trajectory.w[200:] == run.trajectory.w[-1]).all()
    )


def wide(gain):
    """One hidden layer of eight units."""
    layers = nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)
    for layer in (layers[0], layers[2]):
        nn.init.xavier_normal_(layer.weight, gain=gain)
    return nn.Sequential(*layers)


def test_a_start_is_that_of_its_seed_and_leaves_torchs_generator():
    one = System("mine", 32, "Mine", wide, layer="1")
    before = torch.get_rng_state()
    same, again, other = one.network(1, 0.5), one.network(1, 0.5), one.network(2, 0.5)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(same[0].weight, again[0].weight) and not torch.equal(same[0].weight, other[0].weight)
    assert same[0].weight.dtype == torch.float64


def test_an_unknown_property_is_named():
    with pytest.raises(ValueError, match=r"properties must be of normalises, .*; got pretty"):
        System("mine", 32, "Mine", wide, layer="1", properties={"pretty"})


def test_the_rule_takes_the_largest_rich_gain_and_a_third_of_the_largest_stable_rate(monkeypatch):
    one = System("mine", 32, "Mine", wide, layer="1", gains=(2.0, 0.3, 0.1))
    monkeypatch.setitem(catalogue.SYSTEMS, "mine", one)
    found = protocol.settled(protocol.Settled("mine"))
    assert found["gain"] in (0.3, 0.1) and found["grew"] >= protocol.GROWTH and found["parameters"] == 25
    k = -3 * np.log10(3 * found["lr"])
    assert k == pytest.approx(round(k))
    np.testing.assert_allclose(found["half"], 1, atol=0.15)
    largest = protocol.trained(one, 0, "first", Settings(found["gain"], 3 * found["lr"]), epochs=500)
    assert (np.diff(largest.loss) <= 0.01 * largest.loss[:-1]).all()
    larger = protocol.trained(one, 0, "first", Settings(found["gain"], 3 * found["lr"] * 10 ** (1 / 3)))
    assert larger is None or (np.diff(larger.loss) > 0.01 * larger.loss[:-1]).any()


def test_the_decoders_gradient_is_that_of_finite_differences():
    torch.manual_seed(0)
    network = wide(1.0).double()
    inputs = torch.tensor([[0.3], [-0.2]], dtype=torch.float64)
    h, gradient = decoder_gradient(network, inputs, "1", torch.ones(1, dtype=torch.float64))
    assert torch.allclose(gradient, network[2].weight.expand(2, 8)) and h.shape == (2, 8)
    _, through = decoder_gradient(network, inputs, "0", torch.ones(1, dtype=torch.float64))
    step = 1e-6
    z = network[0](inputs).detach()
    for unit in range(8):
        moved = z.clone()
        moved[:, unit] += step
        seen = (network[2](torch.tanh(moved)) - network[2](torch.tanh(z))).detach()[:, 0] / step
        np.testing.assert_allclose(through[:, unit], seen, atol=1e-5)


def test_what_a_loss_does_not_reach_is_trained_around():
    class Idle(nn.Module):
        def __init__(self):
            super().__init__()
            self.net, self.coarse = wide(0.5), nn.Linear(3, 3)

        def forward(self, x):
            return self.net(x)

    for optimizer in (None, torch.optim.Adam, matrices_by(torch.optim.Muon)):
        network = Idle().double()
        before = network.coarse.weight.clone()
        run = urep.train(network, paper_pair(0.5), lr=0.01, epochs=30, layer="net.1", optimizer=optimizer)
        assert run.loss[-1] < run.loss[0] and torch.equal(network.coarse.weight, before)


def test_an_optimizer_of_matrices_gets_them_and_another_one_the_rest():
    networks = [wide(0.5).double() for _ in range(2)]
    networks[1].load_state_dict(networks[0].state_dict())
    plain = {"lr": 0.01, "epochs": 5, "layer": "1"}
    urep.train(networks[0], paper_pair(0.5), optimizer=matrices_by(torch.optim.SGD), **plain)
    urep.train(networks[1], paper_pair(0.5), optimizer=torch.optim.SGD, **plain)
    for one, other in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ValueError, match="Muon only supports 2D parameters"):
        urep.train(wide(0.5).double(), paper_pair(0.5), optimizer=torch.optim.Muon, **plain)


# --- what is stored -----------------------------------------------------------------------------


def test_a_name_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(ValueError, match=r"name must be one of dense, linear.*; got 'cat'"):
        catalogue.system("cat")
    with pytest.raises(ValueError, match=r"name must be one of .*; got 'cat'"):
        catalogue.study("cat")


def test_names_of_systems_and_studies_are_unique():
    families = catalogue.FAMILIES.values()
    names = [one.name for module in families for one in (*module.SYSTEMS, *module.STUDIES)]
    assert len(names) == len(set(names))


SAMPLE = ("dense", "linear", "snnk", "muon-descent", "tpp", "wing", "node-reduced")
"""Systems of every family that are trained again, whose trainings take a second or two."""


@pytest.mark.parametrize("name", SAMPLE)
def test_a_stored_seed_is_trained_again_to_its_score(name):
    stored = sheets.sheet(name).arrays
    again = protocol.measured(protocol.Specimen(name, 0))
    assert (again["learned"] == stored["learned"][0]).all()
    np.testing.assert_allclose(again["r2"], stored["r2"][0], rtol=1e-6, atol=1e-6)
    for part in ("carried_error", "carried_r2", "carried_end"):
        np.testing.assert_allclose(again[part], stored[part][0], rtol=1e-4, atol=1e-6)


# --- the zoo as a whole -------------------------------------------------------------------------


def test_the_papers_are_thirty_one_in_the_order_of_their_list():
    assert [paper.row for paper in papers.PAPERS] == list(range(1, 32))
    assert len({paper.name for paper in papers.PAPERS}) == 31
    assert {paper.role for paper in papers.PAPERS} == set(papers.ROLES)


@pytest.mark.parametrize("paper", papers.PAPERS, ids=lambda paper: paper.name)
def test_a_paper_has_a_section_a_check_of_its_mechanism_and_a_verdict(paper):
    assert zoo.mechanism(paper), f"no verdict below (zoo-{paper.name})= on {paper.page}"
    assert zoo.verdict(paper) in set(zoo.MARKS) - {"open"}
    assert zoo.judged(paper) is not None, f"no claim {paper.claim} on its page"


def test_a_tile_leads_to_its_section_says_its_verdict_and_stays_in_its_box():
    x = np.linspace(0, 9, 200)
    lines = ((x, 5 * x, "dh2", "seen"), (x, 50 * x, "dh2", "theory"), (x, -x, "dh2", "null"))
    tile = figures.Tile("A & B", "P", "●", "law", "weights.html#zoo-a", lines)
    drawn = figures.zoo([tile, tile], alt="Two systems, A and B, and both are laws.")
    assert (
        drawn.svg.count("<a ") == 2 and 'href="weights.html#zoo-a"' in drawn.svg and "A &amp; B" in drawn.svg
    )
    assert 'aria-label="Two systems, A and B, and both are laws."' in drawn.svg and "● " not in drawn.alt
    for points in re.findall(r'points="([^"]*)"', drawn.svg):
        across, up = np.array([pair.split(",") for pair in points.split()], dtype=float).T
        assert across.min() >= 0 and across.max() <= 90 and up.min() >= -10 and up.max() <= 62


def test_the_difference_of_shares_is_that_of_its_definition():
    law = np.array([1, 1, 0, 1, 0, 0], bool)
    has = np.array([0, 0, 0, 1, 1, 1], bool)
    assert zoo.difference(law, has) == pytest.approx(2 / 3 - 1 / 3)
    assert zoo.difference(law, np.zeros(6, bool)) == 0


def test_a_claims_numbers_are_those_of_explored_and_of_fresh_seeds(monkeypatch):
    stored = {False: {"x": np.array([[1.0, 2.0], [3.0, 4.0]])}, True: {"x": np.array([[5.0, 6.0]])}}
    monkeypatch.setattr(sheets, "study", lambda name, fresh=False: {"s": stored[fresh]}[name])
    plain = sheets.evidence("s", lambda found: found["x"][:, 0])
    assert {key: list(value) for key, value in plain.items()} == {"measured": [1, 3], "fresh": [5]}
    pairs = sheets.evidence("s", lambda found: found["x"], lambda found: 10 * found["x"], grouped=True)
    assert list(pairs["measured"]) == [1, 2, 3, 4] and list(pairs["null"]) == [10, 20, 30, 40]
    assert list(pairs["fresh"]) == [5, 6] and list(pairs["fresh_null"]) == [50, 60]
    assert list(pairs["groups"]) == [0, 0, 1, 1] and list(pairs["fresh_groups"]) == [0, 0]


def test_numbers_are_listed_beside_one_another():
    assert urep.shown.listed(np.array([0.5, 0.125]), ".2f") == "0.50 0.12"
