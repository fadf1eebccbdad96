"""Datasets as pairs of tensors (inputs, targets)."""

from __future__ import annotations

from math import isfinite, sqrt

import torch


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
) -> tuple[torch.Tensor, torch.Tensor]:
    """The two-point dataset of Appendix B.1: inputs (2, n_in), targets (2, n_out).

    One-dimensional data are the paper's: inputs -1 and -1 + ‖dx‖, targets 0.6 and 0.6 + ‖dy*‖.
    In more dimensions each component of the first point is `first_input` (`first_target`), and
    the difference points in a random direction drawn from `seed`.
    Raises TypeError or ValueError naming the argument.
    """
    _require_square("dx2", dx2, positive=True)
    _require_square("dy2_target", dy2_target, positive=False)
    for name, value in (("first_input", first_input), ("first_target", first_target)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
            raise ValueError(f"{name} must be a finite number, got {value!r}")
    for name, size in (("n_in", n_in), ("n_out", n_out)):
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ValueError(f"{name} must be an integer >= 1, got {size!r}")
    if not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise TypeError(f"dtype must be a floating-point torch.dtype, got {dtype!r}")
    random = torch.Generator().manual_seed(seed)
    inputs = _pair(first_input, sqrt(dx2), n_in, random)
    targets = _pair(first_target, sqrt(dy2_target), n_out, random)
    return inputs.to(dtype), targets.to(dtype)


def _require_square(name: str, value, *, positive: bool) -> None:
    allowed = "> 0" if positive else ">= 0"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number {allowed}, got {value!r}")
    if not isfinite(value) or value < 0 or (positive and value == 0):
        raise ValueError(f"{name} must be finite and {allowed}, got {value!r}")


def _pair(first: float, distance: float, size: int, random: torch.Generator) -> torch.Tensor:
    """Two points `distance` apart; the first has every component equal to `first`."""
    direction = torch.ones(1, dtype=torch.float64)
    if size > 1:
        direction = torch.randn(size, generator=random, dtype=torch.float64)
        direction /= torch.linalg.vector_norm(direction)
    start = torch.full((size,), first, dtype=torch.float64)
    return torch.stack((start, start + distance * direction))
