"""urep: the thin helper of *When Representations Align*, executed.

The whole public surface is named here. Names load when they are first touched, so that `import urep`
costs milliseconds and torch is imported only by what trains.

To read it, begin with `state`, `theory`, `exact`, `fit`, `carry`; then `rotation`, `growth`, `compare`;
then `tasks`, `networks`, `claims`, `checks`, `shown`, `figures`. Behind them: `equations`, the paper as SymPy
objects; `training`; `experiments`, what is stored; `zoo`, systems of other papers; `site`, what only the
built book needs.
"""

from importlib import import_module

__version__ = "0.3.0"

_THEORY = {
    "TwoPoint": "state",
    "State": "state",
    "Rates": "state",
    "SingularSystem": "theory",
    "integrate": "theory",
    "identical_outputs": "theory",
    "final_distance": "theory",
    "final_distances": "theory",
    "regimes": "theory",
    "loss": "theory",
    "solve": "exact",
    "sensitivities": "exact",
}
_TRAINING = {
    "FullyConnected": "networks",
    "Convolutional": "networks",
    "Run": "state",
    "train": "training",
    "train_many": "training",
    "TrainingDiverged": "training",
    "TrainingInterrupted": "training",
    "Fit": "fit",
    "fit_rates": "fit",
    "MeanFit": "fit",
    "fit_tau_mean": "fit",
    "FitWarning": "fit",
    "FitNotConverged": "fit",
    "carried": "carry",
    "Carried": "carry",
}
_CLAIMS = {"verify": "checks", "bootstrap": "claims", "ClaimFailed": "checks", "Table": "shown"}
_HOME = _THEORY | _TRAINING | _CLAIMS

_MODULES = {
    name: name
    for name in (
        *(
            "state",
            "theory",
            "exact",
            "fit",
            "carry",
            "rotation",
            "growth",
            "compare",
            "tasks",
            "networks",
            "claims",
            "checks",
            "shown",
            "figures",
        ),
        *("equations", "training", "experiments", "zoo", "site"),
    )
}
_STORED = ("alternatives", "held_out", "measures", "runs", "store", "structure")
_MODULES |= {name: f"experiments.{name}" for name in _STORED}
_MODULES |= {"paper": "site.pages"}

__all__ = ["__version__", *_HOME, *_MODULES]


def __getattr__(name: str):
    if name in _MODULES:
        return import_module(f"{__name__}.{_MODULES[name]}")
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
