"""Gradient descent on any torch module, recording two points at a hidden layer."""

from .ensemble import train_many
from .loop import Run, TrainingDiverged, TrainingInterrupted, hidden, train

__all__ = ["Run", "TrainingDiverged", "TrainingInterrupted", "hidden", "train", "train_many"]
