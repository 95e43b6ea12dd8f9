"""Layers that all architectures share: how a spectrogram enters, and how labels leave."""

from emotool_training.architectures.blocks.blend import BlendedHead
from emotool_training.architectures.blocks.cutout import Cutout
from emotool_training.architectures.blocks.domain_head import (
    DomainHead,
    FramePooling,
    set_head,
)
from emotool_training.architectures.blocks.head import EvidenceHead
from emotool_training.architectures.blocks.image import SpectrogramImage
from emotool_training.architectures.blocks.normalise import Activity, Normalise, set_constants
from emotool_training.architectures.blocks.pitch_tta import PitchAugmentation
from emotool_training.architectures.blocks.row_means import RowMeans, TimeStatistics
from emotool_training.architectures.blocks.transformer import TransformerBlock, gelu

__all__ = [
    "Activity",
    "BlendedHead",
    "Cutout",
    "DomainHead",
    "EvidenceHead",
    "FramePooling",
    "Normalise",
    "PitchAugmentation",
    "RowMeans",
    "SpectrogramImage",
    "TimeStatistics",
    "TransformerBlock",
    "gelu",
    "set_constants",
    "set_head",
]
