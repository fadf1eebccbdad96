"""Gradient descent on any torch module, recording two points at a hidden layer."""

from .ensemble import train_many
from .loop import (
    Run,
    TrainingDiverged,
    TrainingInterrupted,
    chord_gradient,
    compiled,
    decoder_gradient,
    hidden,
    train,
)
from .optimizers import matrices_by

__all__ = [
    "Run",
    "TrainingDiverged",
    "TrainingInterrupted",
    "chord_gradient",
    "compiled",
    "decoder_gradient",
    "hidden",
    "matrices_by",
    "train",
    "train_many",
]
