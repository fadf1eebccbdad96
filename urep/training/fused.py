"""Gradient descent on two points by a compiled kernel that reads each weight matrix twice a step.

Once forward; once backward, where one sweep over its rows both passes the gradient down and takes the
step. The kernel follows a `Program`, which `graph.program_of` reads off a network. What it can do is listed
here (`OPERATIONS`, `ACTIVATIONS`); `loop.train` calls it where it pays and is seen to do the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numba
import numpy as np
import torch
from torch import nn

LINEAR, ACTIVATION, ADD, DROPOUT = OPERATIONS = range(4)

ACTIVATIONS: Mapping[type[nn.Module], int] = {
    nn.ReLU: 1,
    nn.LeakyReLU: 2,
    nn.ELU: 3,
    nn.Tanh: 4,
    nn.SiLU: 5,
    nn.Sigmoid: 6,
    nn.GELU: 7,
}
"""The activations that the kernel knows, by the exact type of their module."""

_PARAMETERS = {nn.LeakyReLU: "negative_slope", nn.ELU: "alpha"}


def known_activation(module: nn.Module) -> tuple[int, float] | None:
    """Number and parameter of an activation for the kernel, or None where it does not know it."""
    if type(module) not in ACTIVATIONS or getattr(module, "inplace", False):
        return None
    if getattr(module, "approximate", "none") != "none":
        return None
    parameter = getattr(module, _PARAMETERS.get(type(module), ""), 0.0)
    if not isinstance(parameter, int | float):
        return None
    return ACTIVATIONS[type(module)], float(parameter)


@dataclass(frozen=True)
class Step:
    """One operation on value `source`; step i (from 0) makes value i + 1.

    `layer` names a LINEAR's module; `kind` and `parameter` are an ACTIVATION's, `parameter` a DROPOUT's
    probability; `other` is the value that an ADD adds.
    """

    operation: int
    source: int
    size: int
    layer: str = ""
    kind: int = 0
    parameter: float = 0.0
    other: int = -1


@dataclass(frozen=True)
class Program:
    """A network as the kernel sees it: steps, and which values are the output and the named layers.

    Value 0 is the inputs, of `n_in` numbers a point.
    """

    n_in: int
    steps: tuple[Step, ...]
    output: int
    recorded: Mapping[str, int]

    @property
    def sizes(self) -> np.ndarray:
        """Numbers a point in each value."""
        return np.array([self.n_in, *(step.size for step in self.steps)])

    @property
    def layout(self) -> np.ndarray:
        """Size and start of each value, (values, 2), in an array that holds both points of all."""
        sizes = self.sizes
        return np.stack([sizes, 2 * (np.cumsum(sizes) - sizes)], axis=1)

    def scales_slope(self, index: int) -> bool:
        """Whether DROPOUT `index` follows an activation that nothing else reads.

        Its mask is then multiplied into the activation's slope, as the kernel always did.
        """
        source = self.steps[index].source
        readers = [step for step in self.steps if source in (step.source, step.other)]
        return source > 0 and self.steps[source - 1].operation == ACTIVATION and len(readers) == 1


class Fused:
    """The weights of a network in one array of their own, trained in place; `store` writes them back."""

    def __init__(self, program: Program, network: nn.Module, data, lr: float):
        self.program = program
        self._inputs, self._targets = (np.array(z.detach().numpy(), order="C") for z in data)
        self._dtype = self._inputs.dtype
        self._layers = {
            index: network.get_submodule(step.layer)
            for index, step in enumerate(program.steps)
            if step.operation == LINEAR
        }
        self._code = np.zeros((len(program.steps), 5), np.int64)
        self._numbers = np.zeros((len(program.steps), 3), self._dtype)
        self._weights = np.concatenate([self._add_step(index, lr) for index in range(len(program.steps))])
        self._recorded = np.array([*program.recorded.values()])
        self._ends = np.zeros((2, program.sizes[self._recorded].sum()))
        self._first: np.ndarray | None = None

    def _add_step(self, index: int, lr: float) -> np.ndarray:
        """Write a step's row of the tables; the weights, then biases, that it has."""
        step = self.program.steps[index]
        extra, start = step.other, 0
        if index:
            start = self._code[index - 1, 3] + self._code[index - 1, 4]
        if step.operation == ACTIVATION:
            extra = step.kind
        if step.operation == DROPOUT:
            extra = int(self.program.scales_slope(index))
        weights = np.empty(0, self._dtype)
        rates = (0.0, 0.0)
        if step.operation == LINEAR:
            weight, bias = self._parameters(index)
            zeros = np.zeros(step.size, self._dtype)
            weights = np.concatenate(
                [weight.detach().numpy().ravel(), zeros if bias is None else bias.detach().numpy()]
            )
            rates = tuple(lr if p is not None and p.requires_grad else 0.0 for p in (weight, bias))
        self._code[index] = step.operation, step.source, extra, start, len(weights)
        self._numbers[index] = *rates, step.parameter
        return weights

    def _parameters(self, index: int) -> tuple[nn.Parameter, nn.Parameter | None]:
        return self._layers[index].weight, self._layers[index].bias

    def steps(self, count: int, stop: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
        """Take up to `count` steps: loss (n,), ‖dh‖² (n, layers), outputs (n, 2, n_out), whether to go on.

        Each row is what held before its step, in float64. It is the last where its loss is <= `stop`,
        after which no step is taken; a row that is not finite is left out and ends them too.
        """
        losses, outputs = np.empty(count), np.empty((count, *self._targets.shape))
        distances = np.empty((count, len(self._recorded)))
        done, go_on = _descend(
            self._code, self._numbers, self.program.layout, self._weights, self._inputs, self._targets,
            self.program.output, self._recorded, stop, losses, distances, outputs, self._ends,
            self._masks(count),
        )  # fmt: skip
        if self._first is None and done:
            self._first = self._ends[0].copy()
        return losses[:done], distances[:done], outputs[:done], go_on

    def ends(self) -> dict[str, np.ndarray]:
        """Dh (2, units) of the first and the last row so far, by layer name."""
        sizes = self.program.sizes[self._recorded]
        rows = np.stack([self._ends[0] if self._first is None else self._first, self._ends[1]])
        return dict(zip(self.program.recorded, np.split(rows, np.cumsum(sizes)[:-1], axis=1), strict=True))

    def _masks(self, count: int) -> np.ndarray:
        """What dropout multiplies values by, a row a step; no rows without dropout.

        Drawn as torch draws them in a forward pass, in its order, so that a seed means one training.
        """
        drops = [step for step in self.program.steps if step.operation == DROPOUT]
        ones = [torch.ones(2, step.size, dtype=torch.from_numpy(self._inputs).dtype) for step in drops]
        masks = np.empty((count if drops else 0, sum(one.numel() for one in ones)), self._dtype)
        for row in masks:
            drawn = [nn.functional.dropout(o, s.parameter) for o, s in zip(ones, drops, strict=True)]
            row[:] = torch.cat([mask.ravel() for mask in drawn]).numpy()
        return masks

    def store(self) -> None:
        """Write the weights back to the network."""
        with torch.no_grad():
            for index in self._layers:
                start, length = self._code[index, 3:]
                weight, bias = self._parameters(index)
                values = torch.from_numpy(self._weights[start : start + length])
                for parameter, part in (
                    (weight, values[: weight.numel()].view_as(weight)),
                    (bias, values[weight.numel() :]),
                ):
                    if parameter is not None and parameter.requires_grad:
                        parameter.copy_(part)


# Sums may be taken in any order, as BLAS takes them; infinities and NaN stay what they are.
_FAST = {"reassoc", "contract", "nsz"}


@numba.njit(cache=True, fastmath=_FAST, error_model="numpy")
def _activate(kind, parameter, z, a, slope):
    """The nonlinearity a(z) of a vector and its slope."""
    one = z.dtype.type(1)
    for i in range(z.size):
        v = z[i]
        if kind == 1:
            a[i], slope[i] = (v, one) if v > 0 else (v * 0, one * 0)
        elif kind == 2:
            a[i], slope[i] = (v, one) if v > 0 else (parameter * v, parameter)
        elif kind == 3:
            low = parameter * np.expm1(v) if v <= 0 else v
            a[i], slope[i] = low, one if v > 0 else low + parameter
        elif kind == 4:
            th = np.tanh(v)
            a[i], slope[i] = th, one - th * th
        elif kind == 5:
            gate = one / (one + np.exp(-v))
            a[i], slope[i] = v * gate, gate * (one + v * (one - gate))
        elif kind == 6:
            gate = one / (one + np.exp(-v))
            a[i], slope[i] = gate, gate * (one - gate)
        else:
            below = z.dtype.type(0.5) * (one + math.erf(v * z.dtype.type(math.sqrt(0.5))))
            density = z.dtype.type(1 / math.sqrt(2 * math.pi)) * np.exp(-z.dtype.type(0.5) * v * v)
            a[i], slope[i] = v * below, below + v * density


@numba.njit(cache=True, fastmath=_FAST, error_model="numpy")
def _forward(W, b, h, z):
    """Into z, W h + b for both points, four rows of W at a time."""
    n, m = W.shape
    h0, h1 = h[0], h[1]
    i = 0
    while i + 4 <= n:
        w0, w1, w2, w3 = W[i], W[i + 1], W[i + 2], W[i + 3]
        a0 = a1 = a2 = a3 = c0 = c1 = c2 = c3 = W.dtype.type(0)
        for j in range(m):
            x, y = h0[j], h1[j]
            a0 += w0[j] * x
            a1 += w1[j] * x
            a2 += w2[j] * x
            a3 += w3[j] * x
            c0 += w0[j] * y
            c1 += w1[j] * y
            c2 += w2[j] * y
            c3 += w3[j] * y
        z[0, i], z[0, i + 1], z[0, i + 2], z[0, i + 3] = (
            a0 + b[i],
            a1 + b[i + 1],
            a2 + b[i + 2],
            a3 + b[i + 3],
        )
        z[1, i], z[1, i + 1], z[1, i + 2], z[1, i + 3] = (
            c0 + b[i],
            c1 + b[i + 1],
            c2 + b[i + 2],
            c3 + b[i + 3],
        )
        i += 4
    while i < n:
        w0 = W[i]
        a0 = c0 = W.dtype.type(0)
        for j in range(m):
            a0 += w0[j] * h0[j]
            c0 += w0[j] * h1[j]
        z[0, i], z[1, i] = a0 + b[i], c0 + b[i]
        i += 1


@numba.njit(cache=True, fastmath={"contract"}, error_model="numpy")
def _stepped(v, s, x, t, y):
    """A weight after its step. The two points' parts are added before the weight is rounded, once.

    If they may be taken from it in any order, a small part is lost to the rounding of the large one, at
    every step in the same direction: twenty times the error of float32 after a thousand steps.
    """
    return v - (s * x + t * y)


@numba.njit(cache=True, fastmath=_FAST, error_model="numpy")
def _backward(W, b, h, delta, g, lr, lr_b):
    """Into g, Wᵀ delta with the old W; and the step W -= lr delta hᵀ, b -= lr_b delta, in one sweep."""
    n, m = W.shape
    h0, h1, g0, g1 = h[0], h[1], g[0], g[1]
    i = 0
    while i + 4 <= n:
        w0, w1, w2, w3 = W[i], W[i + 1], W[i + 2], W[i + 3]
        p0, p1, p2, p3 = delta[0, i], delta[0, i + 1], delta[0, i + 2], delta[0, i + 3]
        q0, q1, q2, q3 = delta[1, i], delta[1, i + 1], delta[1, i + 2], delta[1, i + 3]
        s0, s1, s2, s3 = lr * p0, lr * p1, lr * p2, lr * p3
        t0, t1, t2, t3 = lr * q0, lr * q1, lr * q2, lr * q3
        for j in range(m):
            x, y = h0[j], h1[j]
            v0, v1, v2, v3 = w0[j], w1[j], w2[j], w3[j]
            g0[j] += v0 * p0 + v1 * p1 + v2 * p2 + v3 * p3
            g1[j] += v0 * q0 + v1 * q1 + v2 * q2 + v3 * q3
            w0[j] = _stepped(v0, s0, x, t0, y)
            w1[j] = _stepped(v1, s1, x, t1, y)
            w2[j] = _stepped(v2, s2, x, t2, y)
            w3[j] = _stepped(v3, s3, x, t3, y)
        i += 4
    while i < n:
        w0, p0, q0 = W[i], delta[0, i], delta[1, i]
        s0, t0 = lr * p0, lr * q0
        for j in range(m):
            v0 = w0[j]
            g0[j] += v0 * p0
            g1[j] += v0 * q0
            w0[j] = _stepped(v0, s0, h0[j], t0, h1[j])
        i += 1
    for i in range(n):
        b[i] -= lr_b * (delta[0, i] + delta[1, i])


@numba.njit(cache=True, error_model="numpy")
def _value(buffer, layout, k):
    """Value k of a buffer that holds all values one after the other, (2, size)."""
    size, start = layout[k]
    return buffer[start : start + 2 * size].reshape(2, size)


@numba.njit(cache=True, error_model="numpy")
def _layer(code, layout, weights, s):
    """Weight matrix and bias of step s."""
    n, m, start = layout[s + 1, 0], layout[code[s, 1], 0], code[s, 3]
    return weights[start : start + n * m].reshape(n, m), weights[start + n * m : start + n * m + n]


@numba.njit(cache=True, error_model="numpy")
def _record(row, values, layout, output, recorded, targets, losses, distances, outputs, ends):
    """Loss, distances and outputs of one row, in float64; False when one of them is not finite."""
    y = _value(values, layout, output)
    total = 0.0
    for point in range(2):
        for o in range(y.shape[1]):
            outputs[row, point, o] = y[point, o]
            miss = np.float64(y[point, o]) - np.float64(targets[point, o])
            total += miss * miss
    losses[row] = total / 4
    finite = np.isfinite(total)
    for k in range(len(recorded)):
        h = _value(values, layout, recorded[k])
        square = 0.0
        for j in range(h.shape[1]):
            gap = np.float64(h[1, j]) - np.float64(h[0, j])
            square += gap * gap
        distances[row, k] = square
        finite = finite and np.isfinite(square)
    if finite:
        at = 0
        for k in range(len(recorded)):
            h = _value(values, layout, recorded[k])
            for j in range(h.shape[1]):
                ends[1, at] = np.float64(h[1, j]) - np.float64(h[0, j])
                at += 1
        if row == 0:
            ends[0] = ends[1]
    return finite


@numba.njit(cache=True, error_model="numpy")
def _upward(code, numbers, layout, weights, masks, values, slopes):
    """All values and slopes for both points; `masks` is empty, or what dropout multiplies by."""
    drawn = 0
    for s in range(len(code)):
        operation, extra = code[s, 0], code[s, 2]
        x, out = _value(values, layout, code[s, 1]), _value(values, layout, s + 1)
        if operation == LINEAR:
            W, b = _layer(code, layout, weights, s)
            _forward(W, b, x, out)
        elif operation == ACTIVATION:
            slope = _value(slopes, layout, s + 1)
            for point in range(2):
                _activate(extra, numbers[s, 2], x[point], out[point], slope[point])
        elif operation == ADD:
            out[:] = x
            out += _value(values, layout, extra)
        else:
            out[:] = x
            if len(masks):
                mask = masks[drawn : drawn + out.size].reshape(out.shape)
                drawn += out.size
                out *= mask
                slope = _value(slopes, layout, s + 1)
                slope[:] = mask
                if extra:
                    before = _value(slopes, layout, code[s, 1])
                    before *= mask
                    slope[:] = 1


@numba.njit(cache=True, error_model="numpy")
def _downward(code, numbers, layout, weights, values, slopes, g):
    """From the gradient of the output, all gradients in g, and the step of all weights."""
    for s in range(len(code) - 1, -1, -1):
        operation, source = code[s, 0], code[s, 1]
        down, above = _value(g, layout, source), _value(g, layout, s + 1)
        if operation == LINEAR:
            W, b = _layer(code, layout, weights, s)
            _backward(W, b, _value(values, layout, source), above, down, numbers[s, 0], numbers[s, 1])
        elif operation == ADD:
            down += above
            other = _value(g, layout, code[s, 2])
            other += above
        else:
            above *= _value(slopes, layout, s + 1)
            down += above


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _descend(code, numbers, layout, weights, inputs, targets, output, recorded, stop,
             losses, distances, outputs, ends, masks):  # fmt: skip
    """Steps of gradient descent until one of the ends that `Fused.steps` names."""
    values = np.empty(2 * layout[:, 0].sum(), weights.dtype)
    slopes, g = np.empty_like(values), np.empty_like(values)
    _value(values, layout, 0)[:] = inputs
    whole = np.empty(0, weights.dtype)
    for row in range(len(losses)):
        _upward(code, numbers, layout, weights, whole, values, slopes)
        if not _record(row, values, layout, output, recorded, targets, losses, distances, outputs, ends):
            return row, False
        if losses[row] <= stop:
            return row + 1, False
        if len(masks):  # the pair is recorded without dropout, the step is taken with it
            _upward(code, numbers, layout, weights, masks[row], values, slopes)
        g[:] = 0
        _value(g, layout, output)[:] = (_value(values, layout, output) - targets) / weights.dtype.type(2)
        _downward(code, numbers, layout, weights, values, slopes, g)
    return len(losses), True
