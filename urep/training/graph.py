"""A network as a program for the fused kernel, read off its graph by torch.fx."""

from __future__ import annotations

import copy
import operator
import random
from collections.abc import Sequence
from dataclasses import replace
from types import BuiltinFunctionType, FunctionType, NoneType

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional as F
from torch.nn.modules.module import _has_any_global_hook
from torch.overrides import TorchFunctionMode

from .fused import ACTIVATION, ADD, DROPOUT, LINEAR, Program, Step, known_activation

FUNCTIONS = {
    torch.relu: nn.ReLU,
    F.relu: nn.ReLU,
    torch.tanh: nn.Tanh,
    F.tanh: nn.Tanh,
    torch.sigmoid: nn.Sigmoid,
    F.sigmoid: nn.Sigmoid,
    F.leaky_relu: nn.LeakyReLU,
    F.elu: nn.ELU,
    F.silu: nn.SiLU,
    F.gelu: nn.GELU,
}
"""Activations in their functional form; the modules' arguments have the same names and defaults."""

METHODS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def program_of(network: nn.Module, names: Sequence[str], n_in: int) -> Program | None:
    """The steps of a network on inputs (2, n_in), or None where the kernel does not know one of them."""
    if not _is_ordinary(network):
        return None
    try:
        twin = copy.deepcopy(network)  # so that a forward pass with side effects leaves the network alone
        before, tracer, computed = _surroundings(twin), _Tracer(), _ComputedAside()
        with computed:
            graph = tracer.trace(twin)
    except Exception:  # fx runs the network's own code, which may raise anything: it is then not a graph
        return None
    if computed.seen or not _is_equal(before, _surroundings(twin)) or not _is_unchanged(network, twin):
        return None
    try:
        return _Reader(twin, n_in).program(graph, {name: tracer.outputs.get(name) for name in names})
    except _UnknownError:
        return None


class _UnknownError(Exception):
    """The kernel does not know this part of a graph."""


class _Tracer(fx.Tracer):
    """A tracer that keeps the output of each submodule, by name."""

    def __init__(self):
        super().__init__()
        self.outputs: dict[str, object] = {}

    def call_module(self, m, forward, args, kwargs):
        """Trace a call of a submodule."""
        output = super().call_module(m, forward, args, kwargs)
        self.outputs[self.path_of_module(m)] = output
        return output


class _ComputedAside(TorchFunctionMode):
    """Notices torch's functions that run while a network is traced and do not take part in its graph.

    Such a function reads or edits a parameter or a buffer, draws, or makes a constant.
    """

    def __init__(self):
        super().__init__()
        self.seen = False

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Run a function, after a look at its arguments."""
        kwargs = kwargs or {}
        self.seen |= not any(isinstance(value, fx.Proxy) for value in (*args, *kwargs.values()))
        return func(*args, **kwargs)


class _Reader:
    """Nodes of a graph, one after the other, into steps of a program."""

    def __init__(self, network: nn.Module, n_in: int):
        self.network, self.n_in = network, n_in
        self.steps: list[Step] = []
        self.values: dict[fx.Node, int] = {}
        self.output = 0

    def program(self, graph: fx.Graph, outputs: dict[str, object]) -> Program:
        """The program of a whole graph; `outputs` are what its named layers return."""
        for node in graph.nodes:
            self._read(node)
        recorded = {name: self._value(getattr(output, "node", None)) for name, output in outputs.items()}
        layers = [step.layer for step in self.steps if step.operation == LINEAR]
        if not layers or len(set(layers)) < len(layers):
            raise _UnknownError
        return Program(self.n_in, tuple(self.steps), self.output, recorded)

    def _value(self, node) -> int:
        if not isinstance(node, fx.Node) or node not in self.values:
            raise _UnknownError
        return self.values[node]

    def _size(self, value: int) -> int:
        return self.steps[value - 1].size if value else self.n_in

    def _read(self, node: fx.Node) -> None:
        if node.op == "placeholder" and not self.values:
            self.values[node] = 0
        elif node.op == "call_module" and len(node.args) == 1 and not node.kwargs:
            self._add_module(node, self.network.get_submodule(node.target))
        elif node.op == "call_function" and node.target in (operator.add, torch.add):
            self._add_sum(node)
        elif node.op == "call_function" and node.target in FUNCTIONS:
            self._add_functional(node, FUNCTIONS[node.target])
        elif node.op == "call_method" and node.target in METHODS:
            self._add_functional(node, METHODS[node.target])
        elif node.op == "output":
            self.output = self._value(node.args[0])
        else:
            raise _UnknownError

    def _append(self, node: fx.Node, step: Step) -> None:
        self.steps.append(step)
        self.values[node] = len(self.steps)

    def _add_module(self, node: fx.Node, module: nn.Module) -> None:
        source = self._value(node.args[0])
        step = Step(LINEAR, source, self._size(source))
        if type(module) is nn.Linear and module.in_features == step.size:
            self._append(node, replace(step, size=module.out_features, layer=node.target))
        elif type(module) is nn.Dropout and not module.inplace and module.training and module.p > 0:
            self._append(node, replace(step, operation=DROPOUT, parameter=module.p))
        elif type(module) is nn.Identity or (type(module) is nn.Dropout and not module.inplace):
            self.values[node] = source
        else:
            self._add_activation(node, module)

    def _add_activation(self, node: fx.Node, module: nn.Module) -> None:
        known = known_activation(module)
        if known is None:
            raise _UnknownError
        source = self._value(node.args[0])
        self._append(node, Step(ACTIVATION, source, self._size(source), kind=known[0], parameter=known[1]))

    def _add_functional(self, node: fx.Node, kind: type[nn.Module]) -> None:
        try:
            module = kind(*node.args[1:], **node.kwargs)
        except TypeError:
            raise _UnknownError from None
        if not node.args:
            raise _UnknownError
        self._add_activation(node, module)

    def _add_sum(self, node: fx.Node) -> None:
        if len(node.args) != 2 or node.kwargs:
            raise _UnknownError
        source, other = map(self._value, node.args)
        if self._size(source) != self._size(other):
            raise _UnknownError
        self._append(node, Step(ADD, source, self._size(source), other=other))


def _is_ordinary(network: nn.Module) -> bool:
    """Whether a network has parameters of its own, no hooks, and no attributes but plain values."""
    parameters = list(network.parameters())
    storages = {parameter.untyped_storage().data_ptr() for parameter in parameters}
    return (
        not _has_any_global_hook()
        and not any(getattr(module, hooks) for module in network.modules() for hooks in _HOOKS)
        and not any("forward" in vars(module) for module in network.modules())
        and all(_is_equal(value, value) for module in network.modules() for value in _own(module).values())
        and all(type(parameter) is nn.Parameter for parameter in parameters)
        and not any(parameter._backward_hooks for parameter in parameters)
        and len(storages) == len(parameters) == len(list(network.named_parameters(remove_duplicate=False)))
    )


def _own(module: nn.Module) -> dict[str, object]:
    """Attributes of a module that are not torch's, and its mode."""
    torchs = vars(nn.Module()).keys() - {"training"}
    return {name: value for name, value in vars(module).items() if name not in torchs}


def _surroundings(network: nn.Module) -> dict:
    """What a forward pass may change outside of a network, as far as it can be looked up; a copy.

    The states of the generators, and what has a plain value among the attributes of the modules'
    classes and the globals that their methods name.
    """
    name, keys, *rest = np.random.get_state()
    drawn = torch.get_rng_state().numpy().tobytes(), random.getstate(), name, keys.tobytes(), *rest
    found = {}
    for kind in {kind for module in network.modules() for kind in type(module).__mro__}:
        if kind is object or kind.__module__.partition(".")[0] == "torch":
            continue
        for name, value in vars(kind).items():
            found[kind, name] = value
            if isinstance(value, FunctionType):
                used = value.__globals__.keys() & set(value.__code__.co_names)
                found |= {(kind, name, other): value.__globals__[other] for other in used}
    plain = {key: copy.deepcopy(value) for key, value in found.items() if _is_equal(value, value)}
    return {"generators": drawn, **plain}


def _is_unchanged(network: nn.Module, twin: nn.Module) -> bool:
    """Whether a pass through the twin of a network left its modules, tensors and attributes what they are."""
    ours, theirs = dict(network.named_modules()), dict(twin.named_modules())
    return (
        _is_ordinary(twin)
        and ours.keys() == theirs.keys()
        and set(map(id, ours.values())).isdisjoint(map(id, theirs.values()))
        and all(type(ours[name]) is type(theirs[name]) for name in ours)
        and all(_is_equal(_own(ours[name]), _own(theirs[name])) for name in ours)
        and _are_equal_tensors(dict(network.named_parameters()), dict(twin.named_parameters()))
        and _are_equal_tensors(dict(network.named_buffers()), dict(twin.named_buffers()))
    )


def _are_equal_tensors(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> bool:
    return ours.keys() == theirs.keys() and all(
        ours[name].dtype == theirs[name].dtype
        and ours[name].requires_grad == theirs[name].requires_grad
        and torch.equal(ours[name], theirs[name])
        for name in ours
    )


_PLAIN = (
    int, float, complex, bool, str, bytes, NoneType, torch.dtype, torch.device, torch.Size, torch.layout,
)  # fmt: skip
"""Types of values that nothing can change, and whose equality is torch's or Python's own."""


def _is_equal(one, other) -> bool:
    """Whether two plain values are the same; False for values of all other kinds, even the same object."""
    if type(one) is not type(other):
        return False
    if isinstance(one, FunctionType):
        return one is other and _is_stateless(one)
    if isinstance(one, type | BuiltinFunctionType):
        return one is other
    if type(one) in _PLAIN:
        return one is other or one == other
    if type(one) in (list, tuple):
        return len(one) == len(other) and all(map(_is_equal, one, other))
    if type(one) is dict:
        return one.keys() == other.keys() and all(_is_equal(one[key], other[key]) for key in one)
    return False


def _is_stateless(function: FunctionType) -> bool:
    """Whether a function has nothing of its own in which it could keep a state."""
    defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    return not vars(function) and not function.__closure__ and all(type(d) in _PLAIN for d in defaults)
