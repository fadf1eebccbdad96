"""urep: the thin helper of *When Representations Align*, executed.

The whole public surface is named here. Modules load when they are first touched, so that
`import urep` costs milliseconds and torch is imported only by what trains.
"""

from importlib import import_module

__version__ = "0.2.0"

_HOME = {
    "TwoPoint": "theory",
    "State": "theory",
    "Rates": "theory",
    "SingularSystem": "theory",
    "integrate": "theory",
    "identical_outputs": "theory",
    "final_distance": "theory",
    "final_distances": "theory",
    "regimes": "theory",
    "loss": "theory",
    "solve": "exact",
    "sensitivities": "exact",
    "Fit": "fit",
    "fit_rates": "fit",
    "MeanFit": "fit",
    "fit_tau_mean": "fit",
    "FullyConnected": "networks",
    "Convolutional": "networks",
    "Run": "training",
    "train": "training",
    "train_many": "training",
    "TrainingDiverged": "training",
    "TrainingInterrupted": "training",
    "verify": "checks",
    "ClaimFailed": "checks",
}
_MODULES = (
    "equations", "theory", "exact", "fit", "tasks", "networks", "training", "experiments",
    "checks", "paper", "figures",
)  # fmt: skip
_EXPERIMENTS = ("alternatives", "structure", "measures", "store", "runs")

__all__ = ["__version__", *_HOME, *_MODULES, *_EXPERIMENTS]


def __getattr__(name: str):
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _EXPERIMENTS:
        return import_module(f"{__name__}.experiments.{name}")
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
