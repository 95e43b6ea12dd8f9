"""Which decoder reads a file, or the pieces of it, so that all of its sound is read."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from typing import Any, BinaryIO, Final, NamedTuple

from emotool.audio.containers import TAGGED, container_behind, container_of
from emotool.audio.ffmpeg import open_foreign
from emotool.audio.flac import flac_behind, plan_flac
from emotool.audio.formats import explain, read_head
from emotool.audio.headers import plan_au, plan_caf, plan_sphere
from emotool.audio.joined import Joined, Sound
from emotool.audio.libsndfile import PlainSound, PlainSoundError, reason_of
from emotool.audio.mpeg import first_frame, plan_mpeg
from emotool.audio.ogg import plan_ogg
from emotool.audio.parts import Piece, Plan, open_part, read_at
from emotool.audio.riff import codec_of, is_wav, plan_wav
from emotool.audio.tags import tags_behind
from emotool.errors import AudioError
from emotool.files.opening import plain_reason

__all__ = ["File", "open_sound"]

_FILLED: Final = 4  # frames at most with which encoders fill an MP3 up, and which are not played

_SHARE: Final = 0.5  # of what is behind the first frame that must be frames, too

_SLACK: Final = 1 << 13  # bytes that libFLAC reads ahead


class File(NamedTuple):
    """A file to decode.

    Parameters
    ----------
    name : str
        Its path; its extension is the format expected.
    source : file-like
        Its bytes, at their start.
    sound : str, int or file-like
        What libsndfile opens.
    size : int
        Its length in bytes.
    """

    name: str
    source: BinaryIO
    sound: Any
    size: int

    def position(self) -> int:
        """Return how far libsndfile has read, in bytes; the end where that is unknown."""
        if isinstance(self.sound, int):
            return os.lseek(self.sound, 0, os.SEEK_CUR)
        return self.size if isinstance(self.sound, str) else int(self.sound.tell())


def open_sound(file: File) -> AbstractContextManager[Sound]:
    """Return what decodes a file, to be entered.

    Raises
    ------
    AudioError
        If the file is not audio that can be read; says what it is and what to do.
    """
    head, start = read_head(file.source)
    if container := container_of(head, file.size):
        return _foreign(file, container, start)
    try:
        plan = _plan(file.source, head, start, file.size)
        file.source.seek(0)
    except OSError as error:
        raise AudioError("open", plain_reason(error)) from error
    if plan is not None:
        return _joined(file, plan)
    behind = None
    if head.startswith((b"fLaC", b"\xff")):
        behind = partial(_behind, file, start)
    try:
        return closing(PlainSound(file.sound, file.size, behind))
    except PlainSoundError as error:
        return _otherwise(file, head, start, reason_of(error))


def _plan(source: BinaryIO, head: bytes, start: int, size: int) -> Plan | None:
    """Return how to read a file of which libsndfile alone might not read all."""
    if is_wav(head):
        return plan_wav(source, head, start, size)
    if head.startswith(b"fLaC"):
        return plan_flac(source, start, size)
    if head.startswith(b"OggS"):
        return plan_ogg(source, start, size)
    if head.startswith(b".snd"):
        return plan_au(source, start, size)
    if head.startswith(b"caff"):
        return plan_caf(source, start, size)
    if head.startswith(b"NIST_1A"):
        return plan_sphere(source, start, size)
    if head[:1] == b"\xff":
        return plan_mpeg(source, start, size)
    return None


def _foreign(file: File, container: str, start: int) -> AbstractContextManager[Sound]:
    """Return what decodes a container that libsndfile does not read."""
    if container not in TAGGED:
        return open_foreign(file.source, container)
    stop = file.size - tags_behind(file.source, file.size)
    return _piece(file, Piece(start, stop, container))


def _otherwise(file: File, head: bytes, start: int, reason: str) -> AbstractContextManager[Sound]:
    """Return what decodes a file that libsndfile has refused, or raise why nothing does."""
    container = container_behind(head)
    if container and (container != "wav" or codec_of(file.source, start, file.size)):
        return _piece(file, Piece(start, file.size, container))
    problem = explain(file.name, head, reason)
    if is_wav(head) or head.startswith((b"FORM", b"PK\3\4")):  # whose sound is in chunks
        raise problem
    try:
        begin = first_frame(file.source, 0, file.size)
        plan = plan_mpeg(file.source, begin, file.size, whole=False) if begin >= 0 else None
    except OSError as error:
        raise AudioError("open", plain_reason(error)) from error
    if plan is None:
        raise problem
    # By chance, other files have a few bytes that look like frames.
    if sum(piece.stop - piece.start for piece in plan.pieces) < _SHARE * (file.size - begin):
        raise problem
    return _joined(file, plan)


@contextmanager
def _joined(file: File, plan: Plan) -> Iterator[Sound]:
    """Open a file's pieces as one sound."""
    rate = max(piece.rate for piece in plan.pieces)
    channels = max(piece.channels for piece in plan.pieces)
    sounds = (_piece(file, piece) for piece in plan.pieces)
    with closing(Joined(sounds, rate, channels, plan.flags)) as joined:
        yield joined


def _behind(file: File, start: int, rate: int, channels: int) -> Sound | None:
    """Return what is joined to a FLAC or MP3 that libsndfile has read to its end."""
    position = file.position()
    if position >= file.size:
        return None
    head = read_at(file.source, start, 4)
    pieces: tuple[Piece, ...] = ()
    if head == b"fLaC":
        begin = max(start + 4, position - _SLACK)
        starts = list(flac_behind(file.source, begin, file.size))
        ends = (*starts[1:], file.size)
        pieces = tuple(Piece(each, end) for each, end in zip(starts, ends, strict=False))
    else:
        begin = first_frame(file.source, position, file.size)
        plan = None
        if begin >= 0:
            plan = plan_mpeg(file.source, begin, file.size, whole=False, least=_FILLED + 1)
        pieces = plan.pieces if plan else ()
    if not pieces:
        return None
    return Joined((_piece(file, piece) for piece in pieces), rate, channels)


@contextmanager
def _piece(file: File, piece: Piece) -> Iterator[Sound]:
    """Open one piece of a file."""
    part = open_part(file.source, piece)
    if piece.decoder:
        what = ""
        if piece.decoder == "wav":
            what = f"a WAV file of {codec_of(file.source, piece.start, piece.stop)}"
        with open_foreign(part, piece.decoder, what) as foreign:
            yield foreign
        return
    try:
        sound = PlainSound(part, piece.stop - piece.start)
    except PlainSoundError as error:
        container = container_behind(read_at(part, 0, 16))
        codec = codec_of(part, 0, len(piece.prefix) + piece.stop - piece.start)
        if not container or (container == "wav" and not codec):
            head = read_at(file.source, piece.start, 512)
            raise explain(file.name, head, reason_of(error)) from error
        part.seek(0)
        with open_foreign(part, container, codec and f"a WAV file of {codec}") as foreign:
            yield foreign
        return
    with closing(sound):
        yield sound
