"""Sounds one behind the other as one, at one sample rate and with the same channels."""

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.errors import AudioError

__all__ = ["Joined", "Levelled", "Sound"]

Floats: TypeAlias = npt.NDArray[np.float32]


class Sound(Protocol):
    """What decodes a file, or a piece of one.

    Attributes
    ----------
    samplerate : int
        Samples per second (Hz).
    channels : int
        How many.
    flags : tuple of str
        What was found so far.
    """

    samplerate: int
    channels: int

    @property
    def flags(self) -> tuple[str, ...]: ...  # noqa: D102

    def read(self, count: int) -> Floats:
        """Return the next samples, float32 ``[<= count, channels]``; fewer only at the end."""


class Levelled:
    """Blocks of any sample rate and number of channels, brought to one.

    Parameters
    ----------
    rate : int
        In Hz.
    channels : int
        Of what is returned.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._rate = rate
        self._channels = channels
        self._from = rate
        self._resampler: Any = None

    def take(self, block: Floats, rate: int) -> Floats:
        """Return a block [n, other channels] at ``rate`` as [m, channels]; m may be 0 at first."""
        before = self.end() if rate != self._from else np.empty((0, self._channels), np.float32)
        if rate != self._rate and self._resampler is None:
            import soxr

            self._resampler = soxr.ResampleStream(rate, self._rate, self._channels, "float32")
        self._from = rate
        block = _with_channels(block, self._channels)
        if self._resampler is not None:
            block = self._resampler.resample_chunk(block)
            block = block.reshape(-1, self._channels)
        return np.concatenate([before, block]) if len(before) else block

    def end(self) -> Floats:
        """Return what is left of the blocks so far, [n, channels]."""
        rest = np.empty((0, self._channels), np.float32)
        if self._resampler is not None:
            rest = self._resampler.resample_chunk(rest, last=True).reshape(-1, self._channels)
        self._resampler, self._from = None, self._rate
        return rest


def _with_channels(block: Floats, channels: int) -> Floats:
    """Return [n, other] as [n, channels] of the same mean."""
    if block.shape[1] == channels:
        return block
    mean = block.mean(axis=1, dtype=np.float32, keepdims=True)  # [n, 1]
    return np.repeat(mean, channels, axis=1)  # [n, channels]


class Joined:
    """Several sounds, the first of which there is.

    Parameters
    ----------
    sounds : iterator of context managers of Sound
        Entered one after the other.
    rate, channels : int
        What to bring them to; the first one's where they are 0.
    flags : tuple of str
        What is known of them by then.
    """

    def __init__(
        self,
        sounds: Iterator[AbstractContextManager[Sound]],
        rate: int = 0,
        channels: int = 0,
        flags: tuple[str, ...] = (),
    ) -> None:
        self._sounds = sounds
        self._wanted = 1  # frames, of the next block
        self.flags = flags
        self._blocks = self._decoded()
        self.samplerate, self.channels = rate, channels
        next(self._blocks)
        self._pending: list[Floats] = []

    def close(self) -> None:
        """Close the sound that is open."""
        self._blocks.close()

    def _decoded(self) -> Generator[Floats, None, None]:
        """Yield what there is to decode, [n, channels]; first nothing, once the first is open."""
        level: Levelled | None = None
        for each in self._sounds:
            with each as sound:
                if level is None:
                    self.samplerate = max(self.samplerate, sound.samplerate)
                    self.channels = max(self.channels, sound.channels)
                    level = Levelled(self.samplerate, self.channels)
                    yield np.empty((0, self.channels), np.float32)
                while len(block := sound.read(self._wanted)):
                    yield level.take(block, sound.samplerate)
                self.flags = tuple(dict.fromkeys((*self.flags, *sound.flags)))
        if level is None:
            raise AudioError("open", "no sound in it")
        yield level.end()

    def read(self, count: int) -> Floats:
        """Return the next samples, float32 ``[<= count, channels]``; fewer only at the end."""
        have = sum(len(block) for block in self._pending)
        self._wanted = max(1, count - have)
        while have < count and (block := next(self._blocks, None)) is not None:
            self._pending.append(block)
            have += len(block)
            self._wanted = max(1, count - have)
        blocks, self._pending = self._pending, []
        if not blocks:
            return np.empty((0, self.channels), np.float32)
        joined = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
        if have > count:
            self._pending = [joined[count:]]
        return joined[:count]
