"""Datasets as pairs of tensors (inputs, targets), one row a point."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Mapping
from math import inf, prod, sqrt
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch

from .state import TwoPoint, real_number, require_sizes

Data = tuple[torch.Tensor, torch.Tensor]


def two_points(
    *,
    dx2: float = 1.0,
    dy2_target: float = 0.5,
    n_in: int = 1,
    n_out: int = 1,
    first_input: float = -1.0,
    first_target: float = 0.6,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> Data:
    """The two-point dataset of Appendix B.1: inputs (2, n_in), targets (2, n_out).

    One-dimensional data are the paper's: inputs -1 and -1 + ‖dx‖, targets 0.6 and 0.6 + ‖dy*‖.
    In more dimensions each component of the first point is `first_input` (`first_target`), and
    the difference points in a random direction drawn from `seed`.
    Raises TypeError or ValueError naming the argument.
    """
    task = TwoPoint(dx2, dy2_target)
    for name, value in (("first_input", first_input), ("first_target", first_target)):
        real_number(name, value, least=-inf, strict=False)
    require_sizes(n_in=n_in, n_out=n_out)
    _require_dtype(dtype)
    random = torch.Generator().manual_seed(seed)
    inputs = _pair(first_input, sqrt(task.dx2), n_in, random)
    targets = _pair(first_target, sqrt(task.dy2_target), n_out, random)
    return inputs.to(dtype), targets.to(dtype)


def _pair(first: float, distance: float, size: int, random: torch.Generator) -> torch.Tensor:
    """Two points `distance` apart; the first has every component equal to `first`."""
    direction = torch.ones(1, dtype=torch.float64)
    if size > 1:
        direction = torch.randn(size, generator=random, dtype=torch.float64)
        direction /= torch.linalg.vector_norm(direction)
    start = torch.full((size,), first, dtype=torch.float64)
    return torch.stack((start, start + distance * direction))


def two_functions(n: int, *, dy2_target: float = 0.5, dtype: torch.dtype = torch.float32) -> Data:
    """Two functions, or sequences, on the grid s = k/n: inputs (2, n), targets (2, 1).

    The inputs are ∓d/2 with d(s) = (1 + √2 cos 2πs)/√2, whose mean square is 1, so that ‖dx‖² = n; the
    targets are ∓‖dy*‖/2. Both means are zero: there is no common part to be learned first. A network that
    commutes with translations can tell them apart, as it cannot tell apart points that differ by noise.
    Raises TypeError or ValueError naming the argument.
    """
    require_sizes(3, n=n)  # on fewer points the cosine's mean square is not a half
    task = TwoPoint(float(n), dy2_target)
    _require_dtype(dtype)
    s = torch.arange(n, dtype=torch.float64) / n
    half = (1 + sqrt(2) * torch.cos(2 * torch.pi * s)) / sqrt(8)
    target = torch.full((1,), sqrt(task.dy2_target) / 2, dtype=torch.float64)
    return torch.stack((-half, half)).to(dtype), torch.stack((-target, target)).to(dtype)


# --- more than two points -------------------------------------------------------------------


def xor(*, dtype: torch.dtype = torch.float32) -> Data:
    """The XOR task of Appendix B.2: inputs (4, 2) in {0, 1}², targets (4, 1), 1 where they differ.

    The coordinates are those of the authors' code; the paper's text has lost them.
    """
    _require_dtype(dtype)
    inputs = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=dtype)
    return inputs, (inputs[:, :1] != inputs[:, 1:]).to(dtype)


def blobs(*, side: int = 30, pixels: int = 5, dtype: torch.dtype = torch.float32) -> Data:
    """The Gaussian blobs of Appendix B.3: inputs (2 side², pixels² + 2), targets (2 side², 1).

    A point is an image of `pixels` x `pixels` of a blob of unit variance whose centre is one of
    side x side in [-1, 1]², normalised to sum 1, and two inputs that say which context holds: in the
    first the target is the centre's x, in the second its y. `blob_features` names the rows.
    """
    require_sizes(2, side=side, pixels=pixels)
    _require_dtype(dtype)
    context, x, y = blob_features(side)
    grid = np.linspace(-1, 1, pixels)
    bell = lambda centre: np.exp(-((grid - centre[:, None]) ** 2) / 2)
    images = bell(y)[:, :, None] * bell(x)[:, None, :]
    images = images.reshape(len(x), -1) / images.sum(axis=(1, 2))[:, None]
    inputs = np.column_stack([images, context == 0, context == 1])
    targets = np.where(context == 0, x, y)[:, None]
    return torch.tensor(inputs, dtype=dtype), torch.tensor(targets, dtype=dtype)


def blob_features(side: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Context (0 or 1) and x and y of the centre of each row of `blobs`: three arrays (2 side²,)."""
    require_sizes(2, side=side)
    centres = np.linspace(-1, 1, side)
    context, x, y = np.meshgrid([0, 1], centres, centres, indexing="ij")
    return context.ravel(), x.ravel(), y.ravel()


def digits(*, points: int | None = None, dtype: torch.dtype = torch.float32) -> Data:
    """scikit-learn's handwritten digits: inputs (1797, 64), standardised, targets (1797, 10), one-hot.

    8 x 8 pixels, from the UCI repository; the data lie in the package. `points` takes the first so many.
    """
    from sklearn.datasets import load_digits

    _require_dtype(dtype)
    images, labels = load_digits(return_X_y=True)
    points = _taken(points, len(labels))
    standardised = (images - images.mean()) / images.std()
    return torch.tensor(standardised[:points], dtype=dtype), one_hot(labels[:points], dtype=dtype)


def one_hot(labels: np.ndarray, *, classes: int = 10, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Targets (n, classes) for labels (n,) in [0, classes); ValueError for any other label."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, one a point, got {labels.dtype} of shape {labels.shape}")
    wrong = labels[(labels < 0) | (labels >= classes)]
    if wrong.size:
        raise ValueError(f"labels must be in [0, {classes}), got {int(wrong[0])}")
    return torch.nn.functional.one_hot(torch.tensor(labels.astype(np.int64)), classes).to(dtype)


def first_pair(targets: torch.Tensor, a: int, b: int) -> tuple[int, int]:
    """Rows of the first point of class `a` and of the first of class `b`, for `urep.train`'s pair.

    targets: (n, classes), one-hot. Raises ValueError where a = b, whose targets do not differ, or where
    there is no point of one of them.
    """
    labels = targets.argmax(dim=1)
    if a == b:
        raise ValueError(f"a and b must be two classes, or dy* = 0; got {a!r} twice")
    rows = []
    for name, label in (("a", a), ("b", b)):
        found = torch.nonzero(labels == label).flatten()
        if len(found) == 0:
            raise ValueError(
                f"{name} must be a class of the data, {sorted(set(labels.tolist()))}; got {label!r}"
            )
        rows.append(int(found[0]))
    return rows[0], rows[1]


# --- MNIST ----------------------------------------------------------------------------------

MNIST_SHA256: Mapping[str, str] = MappingProxyType({
    "train-images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
})  # fmt: skip
"""SHA-256 of the contents of MNIST's files, unpacked."""

MNIST_MEAN, MNIST_STD = 0.1307, 0.3081
"""Mean and standard deviation of the training pixels, in units of the largest pixel."""


def mnist(
    folder: str | Path,
    *,
    part: str = "train",
    points: int | None = None,
    sha256: Mapping[str, str] | None = MNIST_SHA256,
    dtype: torch.dtype = torch.float32,
) -> Data:
    """MNIST from its IDX files: inputs (n, 784), standardised, targets (n, 10), one-hot.

    `folder` holds images and labels of the `part` ("train" or "t10k"), as they are or gzipped.
    `sha256` are the checksums of their contents, None for files that are not MNIST's own. Raises
    FileNotFoundError, and ValueError naming the file, for files that are missing, damaged, or do not
    belong together.
    """
    if part not in ("train", "t10k"):
        raise ValueError(f"part must be 'train' or 't10k', got {part!r}")
    _require_dtype(dtype)
    arrays = {}
    for kind, dimensions in (("images", 3), ("labels", 1)):
        path = _idx_path(Path(folder), f"{part}-{kind}", dimensions)
        arrays[kind] = read_idx(path, sha256=(sha256 or {}).get(f"{part}-{kind}"))
        if arrays[kind].ndim != dimensions:
            raise ValueError(f"{path} must have {dimensions} dimensions, got shape {arrays[kind].shape}")
    images, labels = arrays["images"], arrays["labels"]
    if len(images) != len(labels):
        raise ValueError(f"{folder} must hold as many images as labels, got {len(images)} and {len(labels)}")
    points = _taken(points, len(labels))
    pixels = torch.tensor(images[:points].reshape(points, -1)).to(dtype) / 255
    return (pixels - MNIST_MEAN) / MNIST_STD, one_hot(labels[:points].astype(np.int64), dtype=dtype)


def _idx_path(folder: Path, name: str, dimensions: int) -> Path:
    spellings = [f"{name}{dot}idx{dimensions}-ubyte{end}" for dot in "-." for end in ("", ".gz")]
    for spelling in spellings:
        if (folder / spelling).is_file():
            return folder / spelling
    raise FileNotFoundError(f"{folder} must hold one of {', '.join(spellings)}")


def read_idx(path: str | Path, *, sha256: str | None = None) -> np.ndarray:
    """The array of an IDX file of unsigned bytes, gzipped or not, held against its checksum.

    The format: two zero bytes, the type (8), the number of dimensions, each size in four bytes, the data.
    Raises ValueError naming the file and what is wrong with it.
    """
    content = Path(path).read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path} is damaged: {error}") from error
    if len(content) < 4 or content[:2] != b"\0\0":
        raise ValueError(
            f"{path} is no IDX file: it must begin with two zero bytes, got {content[:4].hex(' ')}"
        )
    if content[2] != 8 or content[3] == 0:
        raise ValueError(f"{path} must hold unsigned bytes (08) of at least one dimension, "
                         f"got type {content[2]:02x} and {content[3]} dimensions")  # fmt: skip
    begin = 4 + 4 * content[3]
    shape = tuple(
        int(size) for size in np.frombuffer(content[4:begin][: 4 * ((len(content) - 4) // 4)], ">u4")
    )
    wanted = begin + prod(shape)
    if len(shape) < content[3] or len(content) != wanted:
        raise ValueError(f"{path} must have {wanted} bytes for shape {shape}, got {len(content)}")
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{path} is not the file it should be: its SHA-256 is not {sha256}")
    return np.frombuffer(content, np.uint8, offset=begin).reshape(shape)


def _taken(points: int | None, there: int) -> int:
    """Number of points to take: all that are there, or the first `points`."""
    points = there if points is None else points
    require_sizes(points=points)
    if points > there:
        raise ValueError(f"points must be at most {there}, got {points}")
    return points


def _require_dtype(dtype) -> None:
    if not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise TypeError(f"dtype must be a floating-point torch.dtype, got {dtype!r}")
