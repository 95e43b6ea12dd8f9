"""How far into a recording with a clock of its own its sound has been read."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import av

__all__ = ["Reach"]

_HEADERS: Final = 5_000  # bytes that Matroska files have before their first packet
_BETWEEN: Final = 100  # and between two


@dataclass(slots=True)
class Reach:
    """How far into a recording a track has been read, where it may begin late or have gaps.

    A gap in time is the recording's own if its packets lie side by side in the file. Where bytes
    are left out between them, FFmpeg has gone on behind damage without a word, and as much of the
    gap as they may have held is lost.

    Parameters
    ----------
    container : str
        A key of `CONTAINERS`.
    """

    container: str
    _sound_s: float = 0.0  # decoded
    _sound_bytes: int = 0  # that it was decoded from
    _lost_s: float = 0.0
    _start: float | None = None
    _end: float = 0.0  # of the last frame, by its time
    _behind: int = _HEADERS  # where the last packet ends in the file
    _skipped: int = 0  # bytes between it and the packet before

    def read(self, packet: "av.Packet[Any]") -> None:
        """Note where a packet lies."""
        if packet.pos is not None and packet.size:
            self._skipped = packet.pos - self._behind
            self._behind = packet.pos + packet.size
            self._sound_bytes += packet.size

    def decoded(self, time: float | None, seconds: float) -> None:
        """Note when a frame of that packet begins, if that is known, and its length in s."""
        self._sound_s += seconds
        if time is None:
            time = self._end
        if self._start is None:
            # Matroska's length counts from zero, an MP4's from its first sound.
            self._start = self._end = 0.0 if self.container == "matroska" else time
        gap = time - self._end
        # An MP4 lists where its packets are, and reading on behind damage is an error.
        if self.container == "matroska" and gap > 0 and self._skipped > _BETWEEN:
            self._lost_s += min(gap, self._skipped * self._sound_s / max(1, self._sound_bytes))
        self._end = time + seconds

    @property
    def seconds(self) -> float:
        """What was read and the gaps in it, in s."""
        if self.container not in ("matroska", "mov"):  # others' times are not for all frames
            return self._sound_s
        return max(self._sound_s, self._end - (self._start or 0.0) - self._lost_s)
