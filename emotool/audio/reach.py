"""How far into a recording a track of a container has been read, by its packets and frames."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import av

__all__ = ["Reach"]

_LATE_S: Final = 0.1
"""Sound that begins later by less is not late: encoders and containers are no more exact."""

_LONGEST_S: Final = 12 * 3_600.0
"""Longer gaps are damaged times."""

_TIMED: Final = ("mov", "matroska", "flv", "avi", "mpeg", "mpegts")
"""Containers that give a time for all frames; the others' are not filled up."""

_HEADERS: Final = 5_000  # bytes that Matroska files have before their first packet

_BETWEEN: Final = 100  # and between two


@dataclass(slots=True)
class Reach:
    """How far into a recording a track has been read, where it may begin late or have gaps.

    A gap in time is the recording's own if its packets lie side by side in the file. Where bytes
    are left out between them, FFmpeg has skipped damage without an error, and as much of the gap
    as they may have held is lost.

    Parameters
    ----------
    container : str
        A key of `emotool.audio.containers.CONTAINERS`.
    origin : float
        Time at which the recording begins, in s; other than 0 in streams that were broadcast.
    others : bool
        Whether there are other tracks, whose packets stand before a late beginning.
    """

    container: str
    origin: float = 0.0
    others: bool = False
    lost_s: float = 0.0
    _sound_s: float = 0.0  # decoded
    _sound_bytes: int = 0  # that it was decoded from
    _silence_s: float = 0.0  # that stands for late beginnings and gaps
    _primed: float | None = None  # by how much the first frame's time is behind its packet's
    _first: float | None = None  # the first packet's time
    _last: float = 0.0  # the last packet's end
    _start: float | None = None
    _end: float = 0.0  # of the last frame, by its time
    _behind: int = _HEADERS  # where the last packet ends in the file
    _skipped: int = 0  # bytes between it and the packet before

    def read(self, packet: "av.Packet[Any]") -> None:
        """Note where a packet lies, in the file and in time."""
        if packet.pos is not None and packet.size:
            self._skipped = packet.pos - self._behind
            self._behind = packet.pos + packet.size
            self._sound_bytes += packet.size
        if packet.pts is not None and packet.size:
            time = float(packet.pts * packet.time_base) - self.origin
            self._first = time if self._first is None else min(self._first, time)
            self._last = max(self._last, time + float((packet.duration or 0) * packet.time_base))

    @property
    def behind(self) -> int:
        """Where the last packet ends, in bytes of the file."""
        return self._behind

    def decoded(self, time: float | None, seconds: float) -> float:
        """Note a frame of that packet.

        Parameters
        ----------
        time : float or None
            When it begins, in s, if that is known.
        seconds : float
            Its length.

        Returns
        -------
        float
            How many seconds of silence stand before it in the recording.
        """
        if time is not None:
            time -= self.origin
        silence = self._late(time)
        self._silence_s += silence
        self._sound_s += seconds
        if time is None:
            time = self._end
        if self._start is None:
            # Matroska's length counts from zero, an MP4's from its first sound.
            self._start = self._end = 0.0 if self.container == "matroska" else time
        gap = 0.0 if self.others and not self._end else time - self._end
        # An MP4 lists where its packets are, and reading on behind damage is an error.
        if self.container == "matroska" and gap > 0 and self._skipped > _BETWEEN:
            self.lost_s += min(gap, self._skipped * self._sound_s / max(1, self._sound_bytes))
        self._end = time + seconds
        return silence

    def _late(self, time: float | None) -> float:
        """Return how much later than the sound so far a frame begins, in s."""
        begun = self._primed is not None
        if time is None or (begun and self.container not in _TIMED):
            return 0.0
        if self._primed is None:
            # What decoders take away at the beginning is not late.
            self._primed = max(0.0, time - max(0.0, self._first or 0.0))
        late = time - self._primed - self._sound_s - self._silence_s
        return late if _LATE_S < late < _LONGEST_S else 0.0

    @property
    def seconds(self) -> float:
        """What was read and the gaps in it, in s."""
        if self.container not in ("matroska", "mov"):  # others' times are not for all frames
            return self._sound_s
        by_frames = self._end - (self._start or 0.0) - self.lost_s
        # Decoders of an MP4 take away what its lists say does not belong to the recording.
        by_packets = self._last - (self._first or 0.0) if self.container == "mov" else 0.0
        return max(self._sound_s, by_frames, by_packets)
