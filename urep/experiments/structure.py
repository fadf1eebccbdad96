"""Representations of many points: distances between all pairs, what (10) says of them, and their shape.

Matrices of distances are (n, n), symmetric, with a zero diagonal. Distances are squared where their
name ends in 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.distance import cdist

from .. import equations as eq
from ..theory import Rates, final_distances


def distances2(points: np.ndarray) -> np.ndarray:
    """Squared distances (n, n) between the rows of (n, dimensions)."""
    points = _rows("points", points)
    return cdist(points, points, "sqeuclidean")


def predicted_distances2(
    inputs: np.ndarray, targets: np.ndarray, hidden: np.ndarray, outputs: np.ndarray, rates: Rates
) -> np.ndarray:
    """Squared distances (n, n) in which (10) has each pair end, as if it were alone.

    inputs and targets of n points, and where the network has their hidden representations and outputs
    before it is trained, a row a point. Raises ValueError where two points coincide.
    """
    arrays = {"inputs": inputs, "targets": targets, "hidden": hidden, "outputs": outputs}
    arrays = {name: _rows(name, array) for name, array in arrays.items()}
    if len({len(array) for array in arrays.values()}) > 1:
        raise ValueError(f"arrays must have a row a point each, got {[len(a) for a in arrays.values()]} rows")
    first, second = np.triu_indices(len(arrays["inputs"]), 1)
    apart = {name: distances2(array)[first, second] for name, array in arrays.items()}
    for name in ("inputs", "hidden"):
        if (apart[name] == 0).any():
            pair = int(np.argmax(apart[name] == 0))
            raise ValueError(f"{name} must be apart, got one point for rows {first[pair]} and {second[pair]}")
    end = np.zeros((len(arrays["inputs"]),) * 2)
    end[first, second] = final_distances(
        apart["hidden"], apart["outputs"], apart["inputs"], apart["targets"], rates
    )
    return end + end.T


# --- equation (50) --------------------------------------------------------------------------

_NEAR = eq.numeric(eq.paper[50].rhs[0], eq.alone_ij)
_TOGETHER = eq.numeric(eq.paper[50].rhs[1], eq.alone, eq.near_i, eq.near_j)


def weighed(alone: np.ndarray, rows: Sequence[int] | None = None) -> np.ndarray:
    """Exponential weighing, eq. (50): sums of the distances between what is near one point and the other.

    alone: (n, n), distances that the pairs would have alone, in the unit that says what is near.
    Returns (n, n), or (m, m) for the m rows asked for, which does not take all products.
    """
    alone = _square("alone", alone)
    near = _NEAR(alone if rows is None else alone[:, np.asarray(rows)])
    return _TOGETHER(alone, near, near)


# --- agreement ------------------------------------------------------------------------------


def pairs_of(matrix: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """The entries of a symmetric matrix above its diagonal; with labels (n,) only those between classes."""
    matrix = _square("matrix", matrix)
    first, second = np.triu_indices(len(matrix), 1)
    if labels is not None:
        labels = _labels(labels, len(matrix))
        between = labels[first] != labels[second]
        first, second = first[between], second[between]
    return matrix[first, second]


def correlation(a: np.ndarray, b: np.ndarray, labels: np.ndarray | None = None) -> float:
    """Pearson's correlation of two matrices over pairs of points; with labels, of different classes."""
    a, b = pairs_of(a, labels), pairs_of(b, labels)
    for name, values in (("a", a), ("b", b)):
        if np.ptp(values) <= 1e-12 * np.abs(values).max(initial=0.0):
            raise ValueError(f"{name} must vary to be correlated, got {values[:1]} for all pairs")
    return float(np.corrcoef(a, b)[0, 1])


def permutations(
    a: np.ndarray, b: np.ndarray, labels: np.ndarray | None = None, *, times: int = 999, seed: int = 0
) -> np.ndarray:
    """Correlations (times,) of a with b when the points of b change their names (Mantel's test).

    With labels, points change their names within the data and the pairs compared stay those between
    classes of a. The share of them that reach `correlation(a, b)` is the test's p.
    """
    b, random = _square("b", b), np.random.default_rng(seed)
    orders = (random.permutation(len(b)) for _ in range(times))
    return np.array([correlation(a, b[np.ix_(order, order)], labels) for order in orders])


def merging(distances: np.ndarray, labels: np.ndarray) -> float:
    """Mean distance of two points of one class over that of two points of different classes.

    One says that classes do not matter, zero that each is one point.
    """
    distances = _square("distances", distances)
    labels = _labels(labels, len(distances))
    first, second = np.triu_indices(len(labels), 1)
    same = labels[first] == labels[second]
    if not same.any():
        raise ValueError("labels must have two points in some class, got a class a point")
    apart = distances[first, second]
    return float(apart[same].mean() / apart[~same].mean())


def triangle_violations(distances: np.ndarray) -> float:
    """The share of (i, j, k), all different, where d_ij > d_ik + d_kj: zero for points in any space."""
    d = _square("distances", distances)
    n = len(d)
    if n < 3:
        raise ValueError(f"distances must be between at least three points, got {n}")
    slack = 1e-9 * d.max()
    # Where two of the three are one point the inequality holds as an equation.
    broken = sum(int((d > d[:, [k]] + d[[k], :] + slack).sum()) for k in range(n))
    return broken / (n * (n - 1) * (n - 2))


# --- shapes ---------------------------------------------------------------------------------


def collapse(hidden: np.ndarray, relevant: np.ndarray, irrelevant: np.ndarray) -> float:
    """Variance of points along the irrelevant feature over that along the relevant one.

    hidden: (n, units) on a whole grid of the two features, (n,) each. One says that neither is
    preferred, zero that the irrelevant one is lost.
    """
    hidden = _rows("hidden", hidden)
    along = {}
    for name, moving, held in (("irrelevant", irrelevant, relevant), ("relevant", relevant, irrelevant)):
        values, group = np.unique(np.asarray(held), return_inverse=True)
        if len(np.unique(moving)) * len(values) != len(hidden):
            raise ValueError(f"hidden must be on a whole grid of the features, got {len(hidden)} points")
        along[name] = np.mean([hidden[group == g].var(axis=0).sum() for g in range(len(values))])
    if along["relevant"] == 0:
        raise ValueError("hidden must vary along the relevant feature, got no variance")
    return float(along["irrelevant"] / along["relevant"])


def contexts_apart(hidden: np.ndarray, context: np.ndarray, target: np.ndarray) -> float:
    """How far apart two contexts are for one target, over how far apart the targets are: squared distances.

    hidden: (n, units); context and target: (n,). Means over what else the points differ in. Zero says
    that only the target is left, one that a context weighs as much as the whole range of targets does.
    """
    hidden, context, target = _rows("hidden", hidden), np.asarray(context), np.asarray(target)
    values = np.unique(target)
    if len(np.unique(context)) != 2 or len(values) < 2:
        raise ValueError(f"context must have two values and target at least two, "
                         f"got {len(np.unique(context))} and {len(values)}")  # fmt: skip
    lines = np.array(
        [[hidden[(context == c) & (target == v)].mean(axis=0) for v in values] for c in np.unique(context)]
    )
    between = ((lines[0] - lines[1]) ** 2).sum(axis=1).mean()
    along = ((lines[:, -1] - lines[:, 0]) ** 2).sum(axis=1).mean()
    return float(between / along)


def classical_scaling(points: np.ndarray, dimensions: int = 3) -> np.ndarray:
    """Classical multidimensional scaling (n, dimensions) of the distances between rows: principal axes.

    Each axis points to where its coordinate of largest size is positive; so nothing is left to chance.
    """
    points = _rows("points", points)
    centred = points - points.mean(axis=0)
    left, strength, _ = np.linalg.svd(centred, full_matrices=False)
    scores = np.zeros((len(points), dimensions))
    found = min(dimensions, len(strength))
    scores[:, :found] = left[:, :found] * strength[:found]
    largest = np.abs(scores).argmax(axis=0)
    return scores * np.where(np.take_along_axis(scores, largest[None], 0) < 0, -1.0, 1.0)


def metric_scaling(points: np.ndarray, dimensions: int = 3, *, seed: int = 0) -> np.ndarray:
    """Metric multidimensional scaling (n, dimensions), by scikit-learn, as the paper's pictures have it."""
    from sklearn.manifold import MDS

    scaling = MDS(dimensions, n_init=1, random_state=seed, init="random", normalized_stress=False)
    return scaling.fit_transform(_rows("points", points))


# --- what is allowed ------------------------------------------------------------------------


def _rows(name: str, points) -> np.ndarray:
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or len(points) < 2:
        raise ValueError(f"{name} must have a row a point, of two points at least, got shape {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    return points


def _square(name: str, matrix) -> np.ndarray:
    matrix = _rows(name, matrix)
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{name} must be square, got shape {matrix.shape}")
    return matrix


def _labels(labels, points: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape != (points,):
        raise ValueError(f"labels must be one a point, ({points},), got shape {labels.shape}")
    if len(np.unique(labels)) < 2:
        raise ValueError(f"labels must have at least two classes, got {np.unique(labels).tolist()}")
    return labels
