"""The worker process: paths in, windows of log-mel spectrogram or waveform out.

A decoder that crashes, hangs or eats all memory must cost one clip, not the run, so decoding
happens in processes of its own. A worker reads messages (`emotool.workers.protocol`) from its
standard input and writes messages to its standard output.

To the worker
    ``{"spec": {...}, "reading": {"by_content": bool, "hop_s": float or null}}`` once, then any
    number of ``{"clips": [[index, path_length], ...]}`` with the paths
    (`emotool.workers.protocol.to_bytes`), one after the other.
From the worker
    ``{"ready": true}`` once, or ``{"fatal": reason}``. Then, per clip and in the order asked,
    ``{"index", "part", "shape", "spans", "lengths", "final": null}`` with float32 windows, where
    each begins and ends in seconds, and a waveform's samples, for every part but the last, and one
    last message, whose ``final`` is ``{"status", "duration_s", "flags", "source_rate",
    "identity"}`` or ``{"stage", "reason", "identity"}``.

Because answers come in order, the clip that killed or hung a worker is the first one that has
no last message.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from emotool.errors import AudioError
from emotool.files.remote import is_remote
from emotool.inputs.identity import file_identity
from emotool.text import redacted
from emotool.workers.protocol import Message, ProtocolError, Reading, receive, send, to_path

if TYPE_CHECKING:
    from emotool.features.clip_features import ClipFeatures
    from emotool.features.waveform_spec import InputSpec
    from emotool.quality.flags import Quality

__all__ = ["BOOTSTRAP", "main"]

# What `python -c` runs. Ctrl-C goes to the whole terminal group, but is the parent's to handle.
BOOTSTRAP = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from emotool.workers.worker import main; main()"
)
PART_WINDOWS = 8  # so that hours of sound pass through pipe and queues in small pieces
_MAX_REASON = 300


class _Piece(NamedTuple):
    """A few windows of a clip, and what is known of the clip so far."""

    windows: memoryview | bytes  # float32 [n, n_mels, frames] or [n, samples], n <= PART_WINDOWS
    shape: tuple[int, ...]
    spans: list[tuple[float, float]]  # of each window, seconds
    final: dict[str, Any]
    lengths: tuple[int, ...] = ()  # of each window of a waveform, samples


def _pieces(parts: "Iterator[ClipFeatures]", quality: "Quality") -> Iterator[_Piece]:
    """Cut a clip's parts into messages' worth and sum up what they say of the whole clip."""
    status, duration_s = "", 0.0
    for part in parts:
        # A recording that is silent for a while is not a silent one.
        status = "ok" if status == "ok" else part.status
        duration_s += part.duration_s
        quality.add(part)
        final = {"status": status, "duration_s": duration_s, "flags": quality.flags}
        final["source_rate"] = part.source_rate
        for start in range(0, max(len(part.windows), 1), PART_WINDOWS):
            windows = part.windows[
                start : start + PART_WINDOWS
            ]  # [n, n_mels, frames], [n, samples]
            windows = windows.astype("<f4", order="C", copy=False)
            spans = list(zip(part.starts_s, part.ends_s, strict=True))
            spans = spans[start : start + PART_WINDOWS]
            content = windows.data.cast("B") if windows.size else b""
            lengths = part.lengths[start : start + PART_WINDOWS]
            yield _Piece(content, windows.shape, spans, final, lengths)


class _Worker:
    """Answers messages; one per process."""

    def __init__(self, answers: BinaryIO) -> None:
        self._answers = answers
        self._spec: InputSpec | None = None
        self._reading = Reading()

    def say(self, header: Mapping[str, object], payload: bytes | memoryview = b"") -> None:
        send(self._answers, header, payload)  # an error ends the process: the parent is gone

    def answer(self, message: Message) -> None:
        if "spec" in message.header:
            self._spec = _spec_of(message)
            self._reading = Reading(**message.header["reading"])
            return
        for index, path in _clips(message):
            self._answer_clip(index, path)

    def _answer_clip(self, index: int, path: str) -> None:
        identity = ""
        # Asked before the file is read: one that changes meanwhile is another file next time.
        with contextlib.suppress(OSError, ValueError):
            identity = file_identity(path, by_content=self._reading.by_content)
        held, number = None, 0
        pieces = self._guarded(path)
        for piece in pieces:
            if held is not None:
                self.say(_header(index, number, held, None), held.windows)
                number += 1
            held = piece
        if held is None:
            raise ProtocolError("a clip without an answer")
        final = held.final | {"identity": identity}
        self.say(_header(index, number, held, final), held.windows)

    def _guarded(self, path: str) -> Iterator[_Piece]:
        """Yield a clip's pieces; whatever goes wrong with it becomes the last one."""
        from emotool.features.extraction import iter_extract
        from emotool.quality.flags import Quality

        if self._spec is None:
            raise ProtocolError("clips before the specification")
        try:
            quality = Quality(self._spec)
            hop_s = self._reading.hop_s
            parts = iter_extract(path, self._spec, PART_WINDOWS, hop_s, quality.extra)
            yield from _pieces(parts, quality)
        except AudioError as error:
            yield _failure(error.stage, error.reason)
        except MemoryError:
            yield _failure("decode", "needs more memory than there is")
        except Exception as error:
            # Hostile bytes find unforeseen errors; they cost their own row only.
            yield _failure("decode", f"{type(error).__name__}: {error}")


def _clips(message: Message) -> list[tuple[int, str]]:
    """Return the indexes and paths of the clips that a message asks for."""
    clips, start = [], 0
    for index, length in message.header["clips"]:
        clips.append((index, to_path(message.payload[start : start + length])))
        start += length
    return clips


def _spec_of(message: Message) -> "InputSpec":
    """Return the specification that a message has."""
    from emotool.features.spec import SpectrogramSpec
    from emotool.features.waveform_spec import WaveformSpec

    values = message.header["spec"]
    return SpectrogramSpec(**values) if "n_mels" in values else WaveformSpec(**values)


def _header(
    index: int, number: int, piece: _Piece, final: dict[str, Any] | None
) -> dict[str, object]:
    return {
        "index": index,
        "part": number,
        "shape": piece.shape,
        "spans": piece.spans,
        "lengths": piece.lengths,
        "final": final,
    }


def _failure(stage: str, reason: str) -> _Piece:
    return _Piece(b"", (0, 0, 0), [], {"stage": stage, "reason": redacted(reason)[:_MAX_REASON]})


def main() -> None:
    """Serve the parent through standard input and output until it closes them or dies."""
    messages, answers = _take_streams()
    inbox: SimpleQueue[Message] = SimpleQueue()
    _volunteer_for_the_oom_killer()
    worker = _Worker(answers)
    try:
        threading.Thread(target=_listen, args=(messages, inbox), daemon=True).start()
        # The parent imports this module, but none of what reading clips needs.
        import emotool.features.extraction
        import emotool.quality.flags  # noqa: F401
    except Exception as error:
        worker.say({"fatal": f"{type(error).__name__}: {error}"})
        return
    worker.say({"ready": True})
    while True:
        worker.answer(inbox.get())


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """Move the pipes aside, so that no library's chatter ends up between the messages."""
    messages = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    return messages, answers


def _listen(messages: BufferedIOBase, inbox: "SimpleQueue[Message]") -> None:
    """Take messages in, and end the process when the parent is gone.

    It is a thread of its own so that even a worker stuck in a decoder does not outlive a
    parent that was killed.
    """
    with contextlib.suppress(ProtocolError, OSError):
        while (message := receive(messages)) is not None:
            if "clips" in message.header:
                _prefetch([path for _, path in _clips(message)])
            inbox.put(message)
    os._exit(0)


def _prefetch(paths: list[str]) -> None:
    """Fetch remote clips while others are decoded: a request takes longer than most clips."""
    if any(map(is_remote, paths)):
        from emotool.files.remote_reading import prefetch

        with contextlib.suppress(RuntimeError):  # no more threads: fetched when it is read
            prefetch(paths)


def _volunteer_for_the_oom_killer() -> None:
    """Be the process that Linux ends when memory runs out; the parent starts another."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
