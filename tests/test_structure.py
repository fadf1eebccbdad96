"""Tasks of many points, IDX files, and what is read from representations of them."""

import gzip
import hashlib
import struct
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import urep
from urep import structure, tasks
from urep.experiments import TABLE_2, TaskTrial, digits, snapshot
from urep.experiments.structure import context_separation, exponential_weighing, within_over_between

RATES = urep.Rates(30.0, 10.0)
POINTS = arrays(float, st.tuples(st.integers(3, 7), st.integers(1, 4)), elements=st.floats(-9, 9))


# --- tasks ----------------------------------------------------------------------------------


def test_xor_is_one_where_its_inputs_differ():
    inputs, targets = tasks.xor(dtype=torch.float64)
    assert {(*map(int, x),): int(y) for x, y in zip(inputs, targets, strict=True)} == {
        (0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 0
    }  # fmt: skip


def test_blobs_are_bells_at_their_centres_and_targets_follow_the_context():
    side, pixels = 4, 3
    inputs, targets = tasks.blobs(side=side, pixels=pixels, dtype=torch.float64)
    context, x, y = tasks.blob_features(side)
    assert inputs.shape == (2 * side**2, pixels**2 + 2)
    for row, (c, a, b) in enumerate(zip(context, x, y, strict=True)):
        image = [
            np.exp(-((px - a) ** 2 + (py - b) ** 2) / 2)
            for py in np.linspace(-1, 1, pixels) for px in np.linspace(-1, 1, pixels)
        ]  # fmt: skip
        np.testing.assert_allclose(inputs[row, :-2], np.array(image) / sum(image), rtol=1e-12)
        assert inputs[row, -2:].tolist() == ([1, 0] if c == 0 else [0, 1])
        assert float(targets[row, 0]) == pytest.approx(a if c == 0 else b)
    assert len({(*row,) for row in inputs.tolist()}) == len(inputs)
    assert tasks.blobs()[0].shape == (1800, 27)


def test_digits_are_standardised_and_labelled():
    inputs, targets = tasks.digits(dtype=torch.float64)
    assert inputs.shape == (1797, 64) and targets.shape == (1797, 10)
    assert abs(float(inputs.mean())) < 1e-12
    assert float(inputs.std(correction=0)) == pytest.approx(1)
    assert targets.sum(dim=1).eq(1).all()
    assert tasks.first_pair(targets, 0, 1) == (0, 1)
    first, _ = tasks.digits(points=10, dtype=torch.float64)
    torch.testing.assert_close(first, inputs[:10])  # standardised as the whole is


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: tasks.blobs(side=1), ValueError, "side must be an integer >= 2, got 1"),
        (lambda: tasks.blobs(pixels=2.0), ValueError, "pixels must be an integer"),
        (lambda: tasks.xor(dtype=torch.int32), TypeError, "dtype must be a floating-point"),
        (lambda: tasks.digits(points=0), ValueError, "points must be an integer >= 1, got 0"),
        (lambda: tasks.digits(points=1798), ValueError, "points must be at most 1797, got 1798"),
        (lambda: tasks.one_hot(np.array([0, 10])), ValueError, r"labels must be in \[0, 10\), got 10"),
        (lambda: tasks.one_hot(np.array([-1])), ValueError, "got -1"),
        (lambda: tasks.one_hot(np.array([0.5])), TypeError, "labels must be integers"),
        (lambda: tasks.first_pair(tasks.digits()[1], 3, 3), ValueError, r"dy\* = 0; got 3 twice"),
        (lambda: tasks.first_pair(tasks.digits(points=1)[1], 0, 1), ValueError,
         r"b must be a class of the data, \[0\]; got 1"),
        (lambda: tasks.mnist("x", part="val"), ValueError, "part must be 'train' or 't10k', got 'val'"),
        (lambda: TaskTrial("MNIST", "cifar"), ValueError, "task must be one of two points, xor, .*'cifar'"),
        (lambda: TaskTrial("Deep", "xor"), ValueError, "row must be one of Default"),
        (lambda: TaskTrial("MNIST", "digits", optimizer="Lion"), ValueError, "optimizer must be one of"),
        (lambda: TaskTrial("MNIST", "blobs", points=3), ValueError, "points must be None for blobs, got 3"),
    ],
)  # fmt: skip
def test_bad_tasks_are_refused_by_name(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


# --- IDX files ------------------------------------------------------------------------------


def idx(array, kind=8):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def small_mnist(tmp_path):
    """Twelve images of 3 x 2 pixels, the training part gzipped, the other as it is."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (12, 3, 2), dtype=np.uint8)
    labels = np.arange(12, dtype=np.uint8) % 10
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    (tmp_path / "t10k-images.idx3-ubyte").write_bytes(idx(images))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(labels))
    return tmp_path, images, labels


@pytest.mark.parametrize("part", ["train", "t10k"])
def test_idx_files_are_read_plain_or_gzipped(small_mnist, part):
    folder, images, labels = small_mnist
    inputs, targets = tasks.mnist(folder, part=part, sha256=None, dtype=torch.float64)
    np.testing.assert_allclose(inputs, (images.reshape(12, 6) / 255 - 0.1307) / 0.3081, rtol=1e-12)
    assert targets.argmax(dim=1).tolist() == labels.tolist()
    assert tasks.mnist(folder, part=part, points=5, sha256=None)[0].shape == (5, 6)
    sums = {f"{part}-images": hashlib.sha256(idx(images)).hexdigest()}
    tasks.mnist(folder, part=part, sha256=sums)


def test_files_that_are_not_mnists_own_are_refused(small_mnist):
    with pytest.raises(
        ValueError, match=r"images.* is not the file it should be: its SHA-256 is not ba891046"
    ):
        tasks.mnist(small_mnist[0])


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.999])
@pytest.mark.parametrize("name", ["train-images-idx3-ubyte.gz", "t10k-images.idx3-ubyte"])
def test_files_cut_short_are_refused(small_mnist, name, share):
    path = small_mnist[0] / name
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match=rf"{name} (is damaged|is no IDX file|must have|must hold)"):
        tasks.mnist(small_mnist[0], part=name.split("-")[0], sha256=None)


def test_idx_files_of_another_kind_are_refused(tmp_path):
    path, array = tmp_path / "a", np.arange(6, dtype=np.uint8).reshape(2, 3)
    for content, message in (
        (b"PK\x03\x04" + bytes(20), "is no IDX file: it must begin with two zero bytes, got 50 4b 03 04"),
        (idx(array, kind=0x0D), "must hold unsigned bytes .*got type 0d and 2 dimensions"),
        (idx(array) + b"\0", r"must have 18 bytes for shape \(2, 3\), got 19"),
        (struct.pack(">BBBB", 0, 0, 8, 0), "0 dimensions"),
        (struct.pack(">BBBBI", 0, 0, 8, 3, 2), "must have"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            tasks.read_idx(path)
    path.write_bytes(idx(array))
    np.testing.assert_array_equal(tasks.read_idx(path), array)


def test_files_that_do_not_belong_together_are_refused(small_mnist):
    folder, images, labels = small_mnist
    path = folder / "t10k-labels-idx1-ubyte"
    path.write_bytes(idx(labels[:-1]))
    with pytest.raises(ValueError, match="as many images as labels, got 12 and 11"):
        tasks.mnist(folder, part="t10k", sha256=None)
    path.write_bytes(idx(np.where(labels == 9, 77, labels).astype(np.uint8)))
    with pytest.raises(ValueError, match=r"labels must be in \[0, 10\), got 77"):
        tasks.mnist(folder, part="t10k", sha256=None)
    path.write_bytes(idx(images))
    with pytest.raises(ValueError, match="must have 1 dimensions"):
        tasks.mnist(folder, part="t10k", sha256=None)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="must hold one of t10k-labels-idx1-ubyte, "):
        tasks.mnist(folder, part="t10k", sha256=None)


# --- distances ------------------------------------------------------------------------------


def test_predicted_distances_are_those_of_each_pair_alone():
    random = np.random.default_rng(1)
    inputs, targets, hidden, outputs = (random.normal(size=(5, n)) for n in (3, 2, 6, 2))
    end = structure.predicted_distances2(inputs, targets, hidden, outputs, RATES)
    square = lambda a, i, j: float(((a[i] - a[j]) ** 2).sum())
    for i, j in permutations(range(5), 2):
        task = urep.TwoPoint(square(inputs, i, j), square(targets, i, j))
        dy2 = square(outputs, i, j)
        start = urep.State(square(hidden, i, j), dy2, dy2)
        assert end[i, j] == pytest.approx(urep.final_distance(start, task, RATES), rel=1e-12)
    assert (np.diag(end) == 0).all()


@given(POINTS, st.integers(0, 10**6))
def test_weighing_is_the_double_sum_over_neighbours(points, seed):
    A = np.sqrt(structure.distances2(points)) / 5
    n, (i, j) = len(A), np.random.default_rng(seed).integers(len(A), size=2)
    by_hand = sum(
        np.exp(-A[i, k]) * A[k, other] * np.exp(-A[other, j]) for k in range(n) for other in range(n)
    )
    assert exponential_weighing(A)[i, j] == pytest.approx(by_hand, rel=1e-9, abs=1e-300)
    np.testing.assert_allclose(
        exponential_weighing(A, [i]),
        [[exponential_weighing(A)[i, i]]],
        rtol=1e-9,
        atol=1e-300,
    )


def test_far_classes_are_weighed_to_sums_over_classes():
    """What (50) comes to when a class is one point and other classes are far: n_a n_b times the distance."""
    labels = np.array([0, 0, 0, 1, 1, 2])
    A = 1000.0 * np.abs(labels[:, None] - labels)
    sizes = np.bincount(labels)[labels]
    np.testing.assert_allclose(exponential_weighing(A), A * np.outer(sizes, sizes), rtol=1e-12)


@given(POINTS)
def test_no_triangle_of_points_in_a_space_is_violated(points):
    assert structure.triangle_violations(np.sqrt(structure.distances2(points)) + 1e-300) == 0


def test_violated_triangles_are_counted():
    d = np.array([[0, 1, 5], [1, 0, 1], [5, 1, 0.0]])  # 5 > 1 + 1, seen from both ends
    assert structure.triangle_violations(d) == pytest.approx(2 / 6)


def test_within_over_between_is_one_where_labels_mean_nothing_and_zero_where_classes_are_points():
    labels = np.repeat([0, 1, 2], 4)
    classes = (labels[:, None] != labels).astype(float)
    assert within_over_between(classes, labels) == 0
    assert within_over_between(np.ones((12, 12)), labels) == 1


@given(st.integers(0, 10**6))
def test_permutations_reach_a_correlation_by_chance_only(seed):
    random = np.random.default_rng(seed)
    d = structure.distances2(random.normal(size=(12, 3)))
    chance = structure.permutations(d, d, times=40, seed=seed)
    assert structure.correlation(d, d) == pytest.approx(1) and (chance < 0.999).all()


def test_correlations_between_classes_leave_out_pairs_within():
    labels = np.array([0, 0, 1, 1])
    a = np.array([[0, 9, 1, 2], [9, 0, 3, 4], [1, 3, 0, 9], [2, 4, 9, 0.0]])
    assert sorted(structure.pairs_of(a, labels)) == [1, 2, 3, 4]
    b = a.copy()
    b[0, 1] = b[1, 0] = -100
    assert structure.correlation(a, b, labels) == pytest.approx(1)
    assert structure.correlation(a, b) < 0.5


# --- shapes ---------------------------------------------------------------------------------


def grid(width, height):
    x, y = np.meshgrid(np.linspace(-1, 1, 6), np.linspace(-1, 1, 5), indexing="ij")
    x, y = x.ravel(), y.ravel()
    return np.column_stack([width * x, np.zeros_like(x), height * y]), x, y


def test_collapse_is_the_ratio_of_variances_along_the_two_features():
    points, x, y = grid(2.0, 0.5)
    expected = (0.5**2 * np.unique(y).var()) / (2.0**2 * np.unique(x).var())
    assert structure.collapse(points, x, y) == pytest.approx(expected)
    assert structure.collapse(points, y, x) == pytest.approx(1 / expected)
    assert structure.collapse(grid(2.0, 0.0)[0], x, y) == 0
    rotated = points @ np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    assert structure.collapse(rotated, x, y) == pytest.approx(expected)


def test_contexts_are_as_far_apart_as_they_are():
    target = np.tile(np.linspace(-1, 1, 5), 2)
    context = np.repeat([0, 1], 5)
    points = np.column_stack([3 * target, 1.5 * context])
    assert context_separation(points, context, target) == pytest.approx(1.5**2 / 6**2)


def test_classical_scaling_keeps_distances_and_is_the_same_for_rotated_points():
    random = np.random.default_rng(3)
    points = random.normal(size=(20, 3)) * [5, 2, 1] @ random.normal(size=(3, 8))
    flat = structure.classical_scaling(points, 3)
    np.testing.assert_allclose(structure.distances2(flat), structure.distances2(points), atol=1e-9)
    rotated = points @ np.linalg.qr(random.normal(size=(8, 8)))[0] + 1
    np.testing.assert_allclose(structure.classical_scaling(rotated, 3), flat, atol=1e-9)
    assert structure.classical_scaling(points, 10)[:, 8:].max() == 0


def test_metric_scaling_finds_points_that_lie_in_a_plane():
    points = np.random.default_rng(0).normal(size=(15, 2)) @ np.ones((2, 5)) * [1, 2, 3, 4, 5]
    found = structure.metric_scaling(points, 2)
    was, seen = (structure.pairs_of(np.sqrt(structure.distances2(p))) for p in (points, found))
    assert np.abs(seen - was).max() < 0.02 * was.max()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: structure.distances2([[np.nan], [0]]), "points must be finite"),
        (lambda: structure.distances2([1.0, 2.0]), r"points must have a row a point.*got shape \(2,\)"),
        (lambda: exponential_weighing(np.ones((2, 3))), r"alone must be square, got shape \(2, 3\)"),
        (lambda: within_over_between(np.ones((2, 2)), [0, 0]), "labels must have at least two classes, got"),
        (lambda: within_over_between(np.ones((2, 2)), [0, 1]), "two points in some class"),
        (lambda: within_over_between(np.ones((2, 2)), [0]), r"labels must be one a point, \(2,\)"),
        (lambda: structure.correlation(np.ones((3, 3)), np.eye(3)), "a must vary to be correlated"),
        (lambda: structure.triangle_violations(np.zeros((2, 2))), "at least three points, got 2"),
        (lambda: structure.collapse(np.ones((5, 2)), [0, 0, 1, 1, 1], [0, 1, 0, 1, 1]), "whole grid"),
        (lambda: structure.collapse(np.ones((4, 2)), [0, 0, 1, 1], [0, 1, 0, 1]), "vary along the relevant"),
        (lambda: context_separation(np.eye(3), [0, 0, 0], [1, 2, 3]), "context must have two values"),
        (lambda: structure.predicted_distances2(*(np.array([[0.0], [1.0]]),) * 3, np.ones((3, 1)), RATES),
         r"a row a point each, got \[2, 2, 2, 3\] rows"),
        (lambda: structure.predicted_distances2(np.zeros((2, 1)), *(np.array([[0.0], [1.0]]),) * 3, RATES),
         "inputs must be apart, got one point for rows 0 and 1"),
        (lambda: urep.final_distances([1.0, 0.0], 1.0, 1.0, 1.0, RATES),
         r"dh2 must be finite and > 0, got 0\.0 at index 1"),
        (lambda: urep.final_distances(1.0, 1.0, 1.0, -1.0, RATES), "dy2_target must be finite and >= 0"),
    ],
)  # fmt: skip
def test_bad_matrices_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- trials ---------------------------------------------------------------------------------


def test_table_2_is_the_papers():
    row = TABLE_2["XOR 2 layers"]
    assert (row.nonlinearity, row.gain, row.lr) == ("leaky_relu", 0.0015, 0.03)
    assert (row.epochs, row.units, row.hidden_layers) == (40000, 500, 1)
    assert len(TABLE_2) == 8


def test_a_trial_is_the_training_it_describes():
    trial = TaskTrial("Blobs Low weights", "blobs", seed=3, batch=300, epochs=2, units=10, lr_factor=2.0,
                      gain=0.9, optimizer="momentum", precision="float64")  # fmt: skip
    result = trial.train(progress=False)
    data = tasks.blobs(dtype=torch.float64)
    network = urep.FullyConnected(27, 1, hidden_layers=4, units=10, nonlinearity="tanh", gain=0.9, seed=3,
                                  dtype=torch.float64)  # fmt: skip
    before = snapshot(network, data[0])
    np.testing.assert_array_equal(result.before.hidden, before.hidden)
    np.testing.assert_array_equal(before.outputs, network(data[0]).detach())
    urep.train(network, data, lr=0.03, epochs=2, layer=network.middle, batch=300, seed=3,
               optimizer=lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9))  # fmt: skip
    np.testing.assert_allclose(result.after.outputs, network(data[0]).detach(), rtol=1e-12)
    assert len(result.run) == 12 and result.run.t[-1] == pytest.approx(11 / 6)


def test_mnist_is_asked_for_by_the_environment(monkeypatch, small_mnist):
    monkeypatch.delenv("UREP_MNIST", raising=False)
    with pytest.raises(FileNotFoundError, match="UREP_MNIST must name the folder"):
        TaskTrial("MNIST", "mnist").data()
    monkeypatch.setenv("UREP_MNIST", str(small_mnist[0]))
    with pytest.raises(ValueError, match="SHA-256"):
        TaskTrial("MNIST", "mnist").data()


# --- the page on digits ---------------------------------------------------------------------


def test_guesses_know_what_their_names_say():
    labels, dx2 = np.array([0, 0, 1]), np.array([[0.0, 1, 9], [1, 0, 4], [9, 4, 0]])
    found = digits.guesses(labels, dx2, alone=2 * dx2, together=3 * dx2)
    np.testing.assert_array_equal(found["targets alone"], [[0, 0, 1], [0, 0, 1], [1, 1, 0]])
    assert found["inputs alone"] is dx2 and found["(50)"][0, 1] == 3 and found["‖dx‖‖dy*‖"][0, 1] == 2
    # The spreads of 0, 1, 1 and of 1, 3, 2.
    wanted = np.array([0, 1, 1]) / (2 / 9) ** 0.5 + np.array([1, 3, 2]) / (2 / 3) ** 0.5
    np.testing.assert_allclose(found["targets and inputs, added"][np.triu_indices(3, 1)], wanted)


def test_the_loss_at_an_epoch_is_the_mean_over_the_five_epochs_before_it(monkeypatch):
    # Three looks an epoch: epochs 5 to 9 are looks 15 to 29.
    looks = np.arange(60.0)
    stored = {"interval": np.full(2, 1 / 3), "loss": np.stack([looks, looks**2])}
    monkeypatch.setattr(digits, "kept", lambda kind, key: stored[key])
    wanted = [22, sum(k * k for k in range(15, 30)) / 15]
    np.testing.assert_allclose(digits.loss_at("digits, Table 2", 10), wanted)


@pytest.mark.parametrize(("first", "enough"), [(4, False), (5, True)])
def test_a_forecast_needs_looks_before_a_fifth_is_learned(first, enough):
    v = np.where(np.arange(10) < first, 0.1, 0.3)
    state = urep.State(dh2=np.ones(10), dy2=v**2, w=v * (v - 1))
    run = urep.Run(np.arange(10.0), state, v, urep.TwoPoint(1.0, 1.0), 0.1, "epochs")
    assert digits.begins(run) is enough
