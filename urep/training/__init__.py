"""Gradient descent on any torch module, recording two points at a hidden layer."""

from .ensemble import train_many
from .loop import Run, TrainingDiverged, TrainingInterrupted, decoder_gradient, hidden, train

__all__ = [
    "Run",
    "TrainingDiverged",
    "TrainingInterrupted",
    "decoder_gradient",
    "hidden",
    "train",
    "train_many",
]
