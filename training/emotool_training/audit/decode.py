"""Decode clips in parallel and check whether they can be used."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotool.audio.reader import stream_audio
from emotool.errors import AudioError
from emotool.features.extraction import SILENCE_DBFS
from emotool.features.spec import SpectrogramSpec

__all__ = ["DecodeCheck", "check_clip", "check_clips"]

_BATCH = 16  # clips per task: enough to make the passing of tasks cheap


@dataclass(frozen=True, slots=True)
class DecodeCheck:
    """The result of decoding a clip.

    Parameters
    ----------
    duration_s : float
        Decoded length in seconds; 0 where it cannot be decoded.
    digest : str
        SHA-256 of the decoded samples: equal for equal sound, whatever the format; empty
        where there is none.
    fault : str
        ``unreadable``, ``too short`` or ``silent``; empty where nothing is wrong.
    message : str
        The fault in one line.
    """

    duration_s: float
    digest: str
    fault: str = ""
    message: str = ""


def check_clip(path: Path, spec: SpectrogramSpec) -> DecodeCheck:
    """Decode one clip in constant memory and check it as training and classification do.

    Parameters
    ----------
    path : Path
        An audio file.
    spec : SpectrogramSpec
        Its sample rate and shortest length are used.

    Returns
    -------
    DecodeCheck
        Never raises for a bad file: the fault is in the result.
    """
    digest = hashlib.sha256()
    count, total, low, high = 0, 0.0, np.inf, -np.inf
    try:
        for block in stream_audio(path, spec.sample_rate):
            digest.update(block.tobytes())
            count += block.size
            total += float(block.sum(dtype=np.float64))
            low, high = min(low, float(block.min())), max(high, float(block.max()))
    except AudioError as error:
        return DecodeCheck(0.0, "", "unreadable", error.reason)
    duration = count / spec.sample_rate
    if not count or duration < spec.min_seconds:
        message = f"{duration:.3f} s is shorter than {spec.min_seconds:g} s"
        return DecodeCheck(duration, "", "too short", message)
    mean = total / count
    if max(high - mean, mean - low) < 10 ** (SILENCE_DBFS / 20):
        message = f"nothing in it is louder than {SILENCE_DBFS:g} dB below full scale"
        return DecodeCheck(duration, "", "silent", message)
    return DecodeCheck(duration, digest.hexdigest())


def check_clips(
    paths: Sequence[Path],
    spec: SpectrogramSpec,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[DecodeCheck]:
    """Decode clips in parallel.

    Parameters
    ----------
    paths : sequence of Path
        Audio files.
    spec : SpectrogramSpec
        As in :func:`check_clip`.
    workers : int, optional
        Threads (decoding and hashing let other threads run); one per core where not given.
    progress : callable, optional
        Called with how many of how many clips are done.

    Returns
    -------
    list of DecodeCheck
        One per path, in order.
    """

    def task(batch: Sequence[Path]) -> list[DecodeCheck]:
        return [check_clip(path, spec) for path in batch]

    batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
    done = 0
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        futures = [pool.submit(task, batch) for batch in batches]
        pending = set(futures)
        try:
            while pending:
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                done += sum(len(future.result()) for future in finished)
                if progress is not None:
                    progress(done, len(paths))
        except BaseException:  # Ctrl-C must not wait for thousands of clips
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [check for future in futures for check in future.result()]
