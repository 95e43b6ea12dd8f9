"""Layers that all architectures share: how a spectrogram enters, and how labels leave."""

from training.architectures.blocks.blend import BlendedHead
from training.architectures.blocks.blot import Blot
from training.architectures.blocks.head import EvidenceHead
from training.architectures.blocks.image import SpectrogramImage
from training.architectures.blocks.normalise import Activity, Normalise, set_constants
from training.architectures.blocks.row_means import RowMeans, TimeStatistics
from training.architectures.blocks.voices import Voices

__all__ = [
    "Activity",
    "BlendedHead",
    "Blot",
    "EvidenceHead",
    "Normalise",
    "RowMeans",
    "SpectrogramImage",
    "TimeStatistics",
    "Voices",
    "set_constants",
]
