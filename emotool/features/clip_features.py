"""The windows of a clip, with what reading it found."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.features.peaks import Peaks

__all__ = ["ClipFeatures"]

Floats: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ClipFeatures:
    """The windows of a clip, or of one part of a long one.

    Parameters
    ----------
    status : {"ok", "silent", "too_short"}
        Only ``ok`` has windows.
    windows : numpy.ndarray
        Spectrograms, float32 ``[windows, n_mels, frames]`` in dB; for a model of waveforms float32
        ``[windows, samples of the longest]``, padded with zeros.
    duration_s : float
        Decoded seconds that this part stands for, before trimming; a clip's duration is the
        sum over its parts.
    flags : tuple of str
        What `emotool.audio.stream.AudioStream.flags` has, and ``long``.
    starts_s, ends_s : tuple of float
        Where each window begins, and where its sound ends, in seconds from the start of the
        file.
    peaks : Peaks, optional
        How the peaks of this part are distributed; None without windows.
    source_rate : int, default 0
        The file's sample rate in Hz; 0 if there is none.
    measured : numpy.ndarray, optional
        float32 ``[windows, n_mels, frames]``, the same windows by another specification, if that
        was asked for.
    lengths : tuple of int
        Samples of each window without its padding; empty for spectrograms.
    """

    status: Literal["ok", "silent", "too_short"]
    windows: Floats
    duration_s: float
    flags: tuple[str, ...] = ()
    starts_s: tuple[float, ...] = ()
    ends_s: tuple[float, ...] = ()
    peaks: Peaks | None = None
    source_rate: int = 0
    measured: Floats | None = None
    lengths: tuple[int, ...] = ()
