"""What moves the output difference of two points, split at every hidden layer: the kernel's sum rule.

Gradient descent on the loss (1) moves the difference dy of two scalar outputs by

    dy' = η ‖∂dy/∂θ‖² (dy* − dy)/4 − η (∂dy/∂θ · ∂ȳ/∂θ)(ȳ − ȳ*)

with all parameters θ of the network, whatever it is. A hidden layer splits them into those before it, the
encoder's, and those behind it, the decoder's, and each product of gradients into two parts with one sum.
Everything here is per unit of the learning rate.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from ..fit import fit_rates
from ..networks import Convolutional, FullyConnected
from ..state import real_number
from ..tasks import Data
from ..training import train
from .trial import Trial


@dataclass(frozen=True)
class Cuts:
    """The two products of gradients, split at each hidden layer, and the errors that they multiply.

    `encoder` and `decoder` (layers,) are the parts of ‖∂dy/∂θ‖²/4 before and behind each hidden layer;
    `mean_encoder` and `mean_decoder` those of ∂dy/∂θ · ∂ȳ/∂θ, `mean_kernel` is ‖∂ȳ/∂θ‖²; `gap` is dy* − dy
    and `mean_error` ȳ − ȳ*.
    """

    encoder: np.ndarray
    decoder: np.ndarray
    mean_encoder: np.ndarray
    mean_decoder: np.ndarray
    mean_kernel: float
    gap: float
    mean_error: float

    @property
    def kernel(self) -> np.ndarray:
        """K of encoder and decoder together, one number a layer, which must be the same number."""
        return self.encoder + self.decoder

    @property
    def rate(self) -> np.ndarray:
        """The velocity of dy over the learning rate, as each layer has it: both errors at work."""
        return self.kernel * self.gap - (self.mean_encoder + self.mean_decoder) * self.mean_error

    @property
    def mean_share(self) -> float:
        """Size of the mean's part of dy' over that of the difference's own."""
        cross = self.mean_encoder[0] + self.mean_decoder[0]
        return float(abs(cross * self.mean_error) / abs(self.kernel[0] * self.gap))

    @property
    def slaved_share(self) -> float:
        """What `mean_share` is where a fast mean follows the difference: a squared cosine of gradients."""
        cross = self.mean_encoder[0] + self.mean_decoder[0]
        return float(cross**2 / (4 * self.mean_kernel * self.kernel[0]))


def at_cuts(network: FullyConnected | Convolutional, data: Data) -> Cuts:
    """The kernel of the output difference at two points, split at every hidden layer, by autograd.

    data: (inputs, targets) of two points with one output. Rectified networks have no derivative where a
    gate stands at zero, as at the input 0 with zero biases. Raises ValueError or TypeError.
    """
    inputs, targets = _two_scalar_points(network, data)
    before = _layers_behind(network)
    outputs = network(inputs).squeeze(1)
    names, parameters = zip(*network.named_parameters(), strict=True)
    of_dy = torch.autograd.grad(outputs[1] - outputs[0], parameters, retain_graph=True)
    of_mean = torch.autograd.grad(outputs.mean(), parameters)
    own = np.array([(one * one).sum().item() for one in of_dy]) / 4
    cross = np.array([(one * other).sum().item() for one, other in zip(of_dy, of_mean, strict=True)])
    first_behind = np.array([before[name.rpartition(".")[0]] for name in names])
    in_encoder = first_behind[None, :] <= np.arange(network.depth)[:, None]
    split = [np.where(side, part, 0.0).sum(axis=1)
             for part in (own, cross) for side in (in_encoder, ~in_encoder)]  # fmt: skip
    mean_kernel = sum((one * one).sum().item() for one in of_mean)
    errors = (outputs - targets.squeeze(1)).detach()
    return Cuts(*split, mean_kernel, gap=(errors[0] - errors[1]).item(), mean_error=errors.mean().item())


def stepped_rate(network: nn.Module, data: Data, size: float = 1e-6) -> float:
    """The velocity of dy over the learning rate, from a step of descent of some size and its opposite."""
    inputs, targets = data
    moved = []
    for sign in (1, -1):
        twin = copy.deepcopy(network)
        twin.zero_grad()
        (0.5 * (twin(inputs) - targets).square().mean()).backward()
        with torch.no_grad():
            for parameter in twin.parameters():
                parameter -= sign * size * parameter.grad
            moved.append(twin(inputs).diff(dim=0).item())
    return (moved[0] - moved[1]) / (2 * size)


def through(network: FullyConnected | Convolutional, data: Data, layer: int) -> float:
    """The encoder's part of ‖∂dy/∂θ‖²/4 that passes through hidden layer `layer`, by the chain rule.

    It is the whole of `at_cuts(...).encoder[layer]` where the layer's activation is all that the decoder
    sees of the input, and not where connections pass by. Raises ValueError or TypeError.
    """
    inputs, _ = _two_scalar_points(network, data)
    module = network.get_submodule(network.layer(layer))
    seen: list[torch.Tensor] = []
    handle = module.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    try:
        outputs = network(inputs).squeeze(1)
    finally:
        handle.remove()
    (decoder,) = torch.autograd.grad(outputs[1] - outputs[0], seen[0], retain_graph=True)
    frozen = decoder.detach()  # D_y at either point, with the sign of its output in dy
    moved = torch.autograd.grad((frozen * seen[0]).sum(), tuple(network.parameters()), allow_unused=True)
    return sum((part * part).sum().item() for part in moved if part is not None) / 4


Place = str | tuple[str, int]
"""Name of a module whose output is seen, with the number of its call where it is called more than once."""


@dataclass(frozen=True)
class Across:
    """The kernel of the output difference at a cut of any network, parameter by parameter.

    `before`, `behind` and `crossing` (parameters,) are ‖a‖²/4, ‖b‖²/4 and a·b/2 of what moves dy through the
    activations at the cut, a, and of what moves it with these held, b. A parameter that stands on one side
    has one of the two; one that stands on both, as in a recurrent network, has all three. `kernel` is
    ‖∂dy/∂θ‖²/4, from one gradient that knows of no cut.
    """

    names: tuple[str, ...]
    before: np.ndarray
    behind: np.ndarray
    crossing: np.ndarray
    kernel: float

    @property
    def missed(self) -> float:
        """Relative distance of the sum of all parts from the kernel."""
        return abs((self.before + self.behind + self.crossing).sum() / self.kernel - 1)

    @property
    def missed_twice(self) -> float:
        """The same where a parameter on both sides counts as two, each on its own."""
        return abs((self.before + self.behind).sum() / self.kernel - 1)

    def missed_without(self, name: str) -> float:
        """The same as `missed` where one parameter is left out. Raises ValueError for a name that is none."""
        if name not in self.names:
            raise ValueError(f"name must be one of {', '.join(self.names)}; got {name!r}")
        kept = [one != name for one in self.names]
        return abs((self.before + self.behind + self.crossing)[kept].sum() / self.kernel - 1)

    @property
    def last_bias(self) -> str:
        """The last vector of biases that the part before the cut has."""
        found = [name for name, part in zip(self.names, self.before, strict=True) if "bias" in name and part]
        return found[-1]


def across(network: nn.Module, data: Data, cut: Sequence[Place]) -> Across:
    """The kernel of any network at a cut, by the chain rule: what goes through it, and what stands behind.

    data: two points; of several outputs the component along dy*. cut: modules whose outputs are held. Where
    they are all that the rest sees of the input, one activation in most networks and two where a skip
    connection passes by, `before` and `behind` are encoder and decoder; what passes by counts as behind.
    Raises ValueError for a network that is random in its step, for a place that is not reached, and for data
    that are not two points.
    """
    inputs, targets = data
    if len(inputs) != 2 or len(targets) != 2:
        raise ValueError(f"data must be two points, got {len(inputs)} inputs and {len(targets)} targets")
    if network.training and any(isinstance(module, nn.Dropout) for module in network.modules()):
        raise ValueError("network must not be random in a step: call eval() for one with dropout")
    direction = targets.flatten(1).diff(dim=0)[0]
    direction = direction / direction.norm()
    places = [(place, 0) if isinstance(place, str) else place for place in cut]
    names, parameters = zip(*network.named_parameters(), strict=True)

    def moved(scalar: torch.Tensor) -> list[torch.Tensor]:
        parts = torch.autograd.grad(scalar, parameters, retain_graph=True, allow_unused=True)
        pairs = zip(parts, parameters, strict=True)
        return [torch.zeros_like(p) if part is None else part for part, p in pairs]

    def difference(*, held: bool) -> tuple[torch.Tensor, list[torch.Tensor]]:
        outputs, seen = _seen_at(network, inputs, places, held=held)
        return outputs.flatten(1).diff(dim=0)[0] @ direction, seen

    whole = moved(network(inputs).flatten(1).diff(dim=0)[0] @ direction)
    dy, activations = difference(held=True)
    slopes = torch.autograd.grad(dy, activations, retain_graph=True)
    behind = moved(dy)
    _, activations = difference(held=False)
    before = moved(sum((d * h).sum() for d, h in zip(slopes, activations, strict=True)))
    products = [[(a * a).sum() / 4, (b * b).sum() / 4, (a * b).sum() / 2]
                for a, b in zip(before, behind, strict=True)]  # fmt: skip
    kernel = sum((one * one).sum().item() for one in whole) / 4
    return Across(names, *np.array(products, dtype=float).T, kernel=kernel)


def passes_by(network: nn.Module, data: Data, cut: Sequence[Place]) -> float:
    """Largest change of an output when two points are exchanged but not their activations at the cut.

    Relative to the outputs' difference: zero where these activations are all that the rest sees of the two
    points, so that `before` and `behind` of `across` are encoder and decoder. Raises ValueError for a place
    that is not reached.
    """
    inputs, places = data[0], [(place, 0) if isinstance(place, str) else place for place in cut]
    outputs, activations = _seen_at(network, inputs, places, held=True)
    given = dict(zip(places, activations, strict=True))
    exchanged, _ = _seen_at(network, inputs.flip(0), places, held=True, given=given)
    return ((exchanged - outputs).abs().max() / outputs.diff(dim=0).abs().max()).item()


def _seen_at(network: nn.Module, inputs: torch.Tensor, places, *, held: bool, given=None):
    """Outputs, and the activations at some (module, call); `held` makes these constants of their own.

    With `given`, by place, these take the place of what the inputs make.
    """
    found: dict[tuple[str, int], torch.Tensor] = {}
    calls = dict.fromkeys((name for name, _ in places), 0)

    def listen(name: str):
        def hook(_module, _inputs, output):
            place = name, calls[name]
            calls[name] += 1
            if place not in places:
                return None
            output = output if given is None else given[place]
            found[place] = output.detach().requires_grad_() if held else output
            return found[place]

        return network.get_submodule(name).register_forward_hook(hook)

    handles = [listen(name) for name in calls]
    try:
        outputs = network(inputs)
    finally:
        for handle in handles:
            handle.remove()
    missing = [place for place in places if place not in found]
    if missing:
        raise ValueError(f"cut must name outputs that are reached, got {missing[0]!r}")
    return outputs, [found[place] for place in places]


def constants(cuts: Cuts, dh2: np.ndarray, dx2: float, dy2: float) -> tuple[np.ndarray, np.ndarray]:
    """(τ_h, τ_y) times the learning rate that (7) would need at this moment, (layers,) each.

    dh2: (layers,), ‖dh‖² of each hidden layer. In (7) the encoder's part is ‖dx‖²‖dy‖²/(2 τ_h ‖dh‖²) and the
    decoder's ‖dh‖²/(2 τ_y).
    """
    dh2 = np.asarray(dh2, dtype=float)
    if dh2.shape != cuts.encoder.shape or not (dh2 > 0).all():
        raise ValueError(f"dh2 must be {cuts.encoder.shape} numbers > 0, got {dh2!r}")
    dx2, dy2 = real_number("dx2", dx2, strict=True), real_number("dy2", dy2, strict=True)
    return dx2 * dy2 / (2 * dh2 * cuts.encoder), dh2 / (2 * cuts.decoder)


def _layers_behind(network: FullyConnected | Convolutional) -> dict[str, int]:
    """For each module of `network.net` the first hidden layer that stands behind it, the depth for none."""
    names = [f"net.{name}" for name, _ in network.net.named_children()]
    places = [names.index(network.layer(k)) for k in range(network.depth)]
    return {name: int(np.searchsorted(places, place)) for place, name in enumerate(names)}


def _two_scalar_points(network, data: Data) -> Data:
    if not isinstance(network, FullyConnected | Convolutional):
        raise TypeError(f"network must be a FullyConnected or a Convolutional, got {type(network).__name__}")
    if any(isinstance(module, nn.Dropout) for module in network.modules()):
        raise ValueError("network must not be random in a step, got one with dropout")
    inputs, targets = data
    if inputs.shape[0] != 2 or targets.shape != (2, 1):
        raise ValueError(
            f"data must be two points with one output, got shapes {tuple(inputs.shape)} and "
            f"{tuple(targets.shape)}"
        )
    return inputs, targets


def fitted_cuts(trial: Trial) -> dict[str, np.ndarray]:
    """The fits of (7) at every layer of one run, beside the kernel of the trained network at every layer.

    rates (layers, 2) times the learning rate, residual, converged, last (layers, 3) as `measures` has them;
    encoder and decoder (layers,) after training, and kernel (2,) before and after it, per unit of the
    learning rate.
    """
    data = trial.data()
    network, settings = trial.network(data), trial.settings
    before = at_cuts(network, data)
    names = [network.layer(k) for k in range(network.depth)]
    run = train(
        network, data, lr=settings.lr, epochs=settings.epochs, layer=names, seed=trial.seed,
        stop_at_loss=trial.stop_at_loss, progress=False,
    )  # fmt: skip
    after, states = at_cuts(network, data), list(run.trajectory.values())
    fits = [fit_rates(run.t, state, run.task, unconverged="keep") for state in states]
    return {
        "rates": settings.lr * np.array([(fit.rates.tau_h, fit.rates.tau_y) for fit in fits]),
        "residual": np.array([fit.residual for fit in fits]),
        "converged": np.array([fit.converged for fit in fits]),
        "last": np.array([[*state[len(run) - 1]] for state in states]),
        "loss": np.float64(run.loss[-1]),
        "encoder": after.encoder,
        "decoder": after.decoder,
        "kernel": np.array([before.kernel[0], after.kernel[0]]),
    }
