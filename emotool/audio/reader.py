"""From an audio file to mono float32 samples: the whole clip at once, or in blocks."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.audio.formats import DECODABLE_SUFFIXES, FOREIGN_SUFFIXES
from emotool.audio.stream import AudioStream, open_audio
from emotool.errors import AudioError

__all__ = [
    "DECODABLE_SUFFIXES",
    "FOREIGN_SUFFIXES",
    "Audio",
    "AudioStream",
    "open_audio",
    "read_audio",
    "stream_audio",
]

Floats: TypeAlias = npt.NDArray[np.float32]

_MAX_READ_SECONDS: Final = 3_600.0
"""Longest clip that `read_audio` takes into memory as a whole."""


@dataclass(frozen=True, slots=True)
class Audio:
    """A decoded clip.

    Parameters
    ----------
    samples : numpy.ndarray
        float32 ``[n]``, one channel (see `emotool.audio.channels`), full scale ±1.
    sample_rate : int
        Samples per second (Hz) of ``samples``.
    duration_s : float
        Decoded length in seconds.
    source_rate, channels : int
        The file's own sample rate (Hz) and number of channels.
    clipped : bool
        Whether what is used of it stays at full scale for three samples or more.
    """

    samples: Floats
    sample_rate: int
    duration_s: float
    source_rate: int
    channels: int
    clipped: bool


def read_audio(path: str | os.PathLike[str], sample_rate: int) -> Audio:
    """Decode a whole clip of at most an hour.

    Parameters
    ----------
    path : str or os.PathLike
        A regular file in any format libsndfile reads.
    sample_rate : int
        Rate (Hz) to which the samples are brought.

    Returns
    -------
    Audio
        Mono samples and what is known of the file.

    Raises
    ------
    AudioError
        If the file cannot be read as audio, or is longer than an hour (see `stream_audio`).
    """
    limit = int(_MAX_READ_SECONDS * sample_rate)
    with open_audio(path, sample_rate) as stream:
        samples = stream.read(limit + 1)
        if samples.size > limit:
            raise AudioError("decode", "longer than an hour: too long to be read as a whole")
        return Audio(
            samples,
            sample_rate,
            samples.size / sample_rate,
            stream.source_rate,
            stream.channels,
            stream.clipped,
        )


def stream_audio(
    path: str | os.PathLike[str], sample_rate: int, block_seconds: float = 10.0
) -> Iterator[Floats]:
    """Decode a clip of any length in flat memory.

    Parameters
    ----------
    path : str or os.PathLike
        A regular file in any format libsndfile reads.
    sample_rate : int
        Rate (Hz) to which the samples are brought.
    block_seconds : float
        Length of the blocks.

    Yields
    ------
    numpy.ndarray
        float32 ``[round(block_seconds * sample_rate)]``, the last one shorter, never empty.
        Together they are the very samples that `read_audio` gives.

    Raises
    ------
    AudioError
        As soon as something cannot be decoded; blocks before it have been given.
    """
    size = max(1, round(block_seconds * sample_rate))
    with open_audio(path, sample_rate) as stream:
        while (block := stream.read(size)).size:
            yield block
