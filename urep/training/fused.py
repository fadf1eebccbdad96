"""Gradient descent on two points, for wide fully connected networks: each weight matrix is read twice.

Once forward; once backward, where one sweep over its rows both passes the gradient down and takes the
step. It is the gradient descent of `training.train`, which calls it where it pays; callers do not see it.
"""

from __future__ import annotations

import numba
import numpy as np
import torch
from torch import nn

from ..networks import FullyConnected

KINDS = {nn.Identity: 0, nn.ReLU: 1, nn.LeakyReLU: 2, nn.ELU: 3, nn.Tanh: 4, nn.SiLU: 5}
"""The nonlinearities that the kernel knows, by module."""


class Fused:
    """The weights of a network in arrays of their own, trained in place; `store` writes them back."""

    def __init__(self, network: FullyConnected, data, lr: float):
        self.network = network
        self._dense = [module for module in network.net if isinstance(module, nn.Linear)]
        first, *hidden, last = (m.weight.detach().numpy() for m in self._dense)
        self._first, self._last = first.copy(), last.copy()
        self._hidden = np.stack(hidden)
        biases = [m.bias.detach().numpy() for m in self._dense]
        self._biases, self._out_bias = np.stack(biases[:-1]), biases[-1].copy()
        self._inputs, self._targets = (np.ascontiguousarray(z.numpy()) for z in data)
        (module,) = {type(m) for m in network.net if type(m) in KINDS and not self._is_sum(m)} or {
            nn.Identity
        }
        self._kind = KINDS[module]
        self._lr = first.dtype.type(lr)
        drops = {m.p for m in network.net if isinstance(m, nn.Dropout)} if network.training else set()
        self._drop = max(drops, default=0.0)

    def _is_sum(self, module) -> bool:
        """The identities of a network with skip connections only mark where sums are seen."""
        return self.network.skip and isinstance(module, nn.Identity)

    def steps(self, count: int, stop: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
        """Take up to `count` steps: loss (n,), ‖dh‖² (n, layers), outputs (n, 2, n_out), whether to go on.

        Each row is what held before its step, in float64. It is the last where its loss is <= `stop`,
        after which no step is taken; a row that is not finite is left out and ends them too.
        """
        losses, outputs = np.empty(count), np.empty((count, *self._targets.shape))
        distances = np.empty((count, len(self._biases)))
        masks_in, masks = self._masks(count)
        done, go_on = _descend(
            self._first, self._hidden, self._last, self._biases, self._out_bias, self._inputs,
            self._targets, self._kind, self.network.skip, self._lr, stop, losses, distances, outputs,
            masks_in, masks,
        )  # fmt: skip
        return losses[:done], distances[:done], outputs[:done], go_on

    def _masks(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """What dropout multiplies inputs and hidden layers by, step by step; empty without dropout.

        Drawn as torch draws them in a forward pass, in its order, so that a seed means one training.
        """
        masks_in = np.empty((count if self._drop else 0, *self._inputs.shape), self._inputs.dtype)
        masks = np.empty((len(masks_in), len(self._biases), 2, self._biases.shape[1]), masks_in.dtype)
        ones = torch.ones(masks.shape[2:], dtype=self._dense[0].weight.dtype)
        ones_in = torch.ones(self._inputs.shape, dtype=ones.dtype)
        for step in range(len(masks_in)):
            masks_in[step] = nn.functional.dropout(ones_in, self._drop).numpy()
            for k in range(masks.shape[1]):
                masks[step, k] = nn.functional.dropout(ones, self._drop).numpy()
        return masks_in, masks

    def store(self) -> None:
        """Write the weights back to the network."""
        weights = [self._first, *self._hidden, self._last]
        biases = [*self._biases, self._out_bias]
        with torch.no_grad():
            for module, weight, bias in zip(self._dense, weights, biases, strict=True):
                module.weight.copy_(torch.from_numpy(weight))
                module.bias.copy_(torch.from_numpy(bias))


# Sums may be taken in any order, as BLAS takes them; infinities and NaN stay what they are.
_FAST = {"reassoc", "contract", "nsz"}


@numba.njit(cache=True, fastmath=_FAST, error_model="numpy")
def _activate(kind, z, a, slope):
    """The nonlinearity a(z) of a vector and its slope."""
    one = z.dtype.type(1)
    for i in range(z.size):
        v = z[i]
        if kind == 0:
            a[i], slope[i] = v, one
        elif kind == 1:
            a[i], slope[i] = (v, one) if v > 0 else (v * 0, one * 0)
        elif kind == 2:
            leak = z.dtype.type(0.01)
            a[i], slope[i] = (v, one) if v > 0 else (leak * v, leak)
        elif kind == 3:
            low = np.expm1(v) if v <= 0 else v
            a[i], slope[i] = low, one if v > 0 else low + one
        elif kind == 4:
            th = np.tanh(v)
            a[i], slope[i] = th, one - th * th
        else:
            gate = one / (one + np.exp(-v))
            a[i], slope[i] = v * gate, gate * (one + v * (one - gate))


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
def _backward(W, b, h, delta, g, lr):
    """Into g, Wᵀ delta with the old W; and the step W -= lr delta hᵀ, b -= lr delta, in one sweep."""
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
        b[i] -= lr * (delta[0, i] + delta[1, i])


@numba.njit(cache=True, error_model="numpy")
def _record(row, h, y, targets, losses, distances, outputs):
    """Loss, distances and outputs of one row, in float64; False when one of them is not finite."""
    total = 0.0
    for point in range(2):
        for o in range(y.shape[1]):
            outputs[row, point, o] = y[point, o]
            miss = np.float64(y[point, o]) - np.float64(targets[point, o])
            total += miss * miss
    losses[row] = total / 4
    finite = np.isfinite(total)
    for k in range(h.shape[0]):
        square = 0.0
        for j in range(h.shape[2]):
            gap = np.float64(h[k, 1, j]) - np.float64(h[k, 0, j])
            square += gap * gap
        distances[row, k] = square
        finite = finite and np.isfinite(square)
    return finite


@numba.njit(cache=True, error_model="numpy")
def _upward(first, hidden, last, biases, out_bias, inputs, kind, skip, masks, z, h, slope, y):
    """Into h, slope and y, both points' hidden activations, their slopes, and outputs.

    `masks` is empty, or what dropout multiplies each hidden layer by.
    """
    for k in range(len(biases)):
        if k == 0:
            _forward(first, biases[0], inputs, z)
        else:
            _forward(hidden[k - 1], biases[k], h[k - 1], z)
        for point in range(2):
            _activate(kind, z[point], h[k, point], slope[k, point])
        if skip and k >= 2:
            h[k] += h[k - 2]
        if len(masks):
            h[k] *= masks[k]
            slope[k] *= masks[k]
    _forward(last, out_bias, h[len(biases) - 1], y)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _descend(first, hidden, last, biases, out_bias, inputs, targets, kind, skip, lr, stop,
             losses, distances, outputs, masks_in, masks):  # fmt: skip
    """Steps of gradient descent until one of the ends that `Fused.steps` names."""
    layers, units = biases.shape
    z = np.empty((2, units), first.dtype)
    h = np.empty((layers, 2, units), first.dtype)
    slope, g = np.empty_like(h), np.empty_like(h)
    y, delta_out = np.empty_like(targets), np.empty_like(targets)
    unused = np.empty_like(inputs)
    whole = np.empty((0, 2, units), first.dtype)
    seen = inputs
    for row in range(len(losses)):
        _upward(first, hidden, last, biases, out_bias, inputs, kind, skip, whole, z, h, slope, y)
        if not _record(row, h, y, targets, losses, distances, outputs):
            return row, False
        if losses[row] <= stop:
            return row + 1, False
        if len(masks):  # the pair is watched without dropout, the step is taken with it
            seen = inputs * masks_in[row]
            _upward(first, hidden, last, biases, out_bias, seen, kind, skip, masks[row], z, h, slope, y)
        g[:] = 0
        delta_out[:] = (y - targets) / first.dtype.type(2)
        _backward(last, out_bias, h[layers - 1], delta_out, g[layers - 1], lr)
        for k in range(layers - 1, -1, -1):
            if skip and k >= 2:
                g[k - 2] += g[k]
            slope[k] *= g[k]
            if k == 0:
                _backward(first, biases[0], seen, slope[0], unused, lr)
            else:
                _backward(hidden[k - 1], biases[k], h[k - 1], slope[k], g[k - 1], lr)
    return len(losses), True
