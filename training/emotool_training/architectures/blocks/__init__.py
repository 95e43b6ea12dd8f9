"""Layers that all architectures share: how a spectrogram enters, and how labels leave."""

from emotool_training.architectures.blocks.blend import BlendedHead
from emotool_training.architectures.blocks.blot import Blot
from emotool_training.architectures.blocks.head import EvidenceHead
from emotool_training.architectures.blocks.image import SpectrogramImage
from emotool_training.architectures.blocks.normalise import Activity, Normalise, set_constants
from emotool_training.architectures.blocks.row_means import RowMeans, TimeStatistics
from emotool_training.architectures.blocks.voices import Voices

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
