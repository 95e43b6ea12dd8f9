"""Rows about a clip's windows; adjacent windows of one label can be merged.

>>> from emotool.results.row import Segment
>>> parts = (Segment(0, 3, (0.9, 0.1)), Segment(3, 6, (0.6, 0.4)), Segment(6, 7, (0.2, 0.8)))
>>> clip = ClipResult(0, "a.wav", "ok", "cnn", "happy", 0.567, (0.567, 0.433), 7.0, segments=parts)
>>> for row in segment_rows(clip, ("happy", "sad"), merge=True):
...     print(row.span, row.label, row.confidence)
(0, 6) happy 0.75
(6, 7) sad 0.8
"""

from collections.abc import Sequence
from dataclasses import replace

from emotool.results.row import ClipResult, Segment

__all__ = ["merge_segments", "segment_rows"]


def segment_rows(
    result: ClipResult, labels: Sequence[str], *, merge: bool = False
) -> list[ClipResult]:
    """Make one row per window of a clip; one about the whole where there are none.

    Parameters
    ----------
    result : ClipResult
        A clip's, with its segments.
    labels : sequence of str
        The model's labels; none if it gives only dimensions.
    merge : bool
        Merge adjacent windows of one label; without labels, nothing is merged.

    Returns
    -------
    list of ClipResult
        With a ``span`` each, in order, at least one.
    """
    if not result.segments:
        return [result]
    segments = merge_segments(result.segments) if merge and labels else result.segments
    rows = []
    for segment in segments:
        best = _best(segment) if labels else None
        rows.append(
            replace(
                result,
                label="" if best is None else labels[best],
                confidence=None if best is None else segment.probabilities[best],
                probabilities=segment.probabilities,
                dimensions=segment.dimensions,
                segments=(),
                span=(segment.start_s, segment.end_s),
                embedding=segment.embedding,
            )
        )
    return rows


def merge_segments(segments: Sequence[Segment]) -> list[Segment]:
    """Merge segments that follow each other without a gap and have the same label.

    A merged segment's probabilities, dimensions and embedding are the means of its parts',
    weighted by their lengths.
    Overlapping segments of different labels stay as they are.
    """
    joined: list[Segment] = []
    weights: list[float] = []
    for segment in segments:
        length = segment.end_s - segment.start_s
        last = joined[-1] if joined else None
        if last is None or _best(last) != _best(segment) or segment.start_s > last.end_s:
            joined.append(segment)
            weights.append(length)
            continue
        # A mean of vectors whose largest number is at one place has it there too.
        share = length / (weights[-1] + length)
        means = _means(last.probabilities, segment.probabilities, share)
        embedding = _mean(last.embedding, segment.embedding, share)
        values = _means(last.dimensions, segment.dimensions, share)
        joined[-1] = Segment(last.start_s, segment.end_s, means, embedding, values)
        weights[-1] += length
    return joined


def _means(before: tuple[float, ...], after: tuple[float, ...], share: float) -> tuple[float, ...]:
    """Return the weighted means of numbers."""
    pairs = zip(before, after, strict=True)
    return tuple((1 - share) * first + share * second for first, second in pairs)


def _mean(before: bytes, after: bytes, share: float) -> bytes:
    """Return the weighted mean of two embeddings, nothing if there are none."""
    if not before:
        return b""
    import numpy as np  # not at the top: most runs have no embeddings

    first, second = (np.frombuffer(each, "<f4").astype(np.float64) for each in (before, after))
    return ((1 - share) * first + share * second).astype("<f4").tobytes()


def _best(segment: Segment) -> int:
    """Return the place of the most probable label, the first of equals."""
    return segment.probabilities.index(max(segment.probabilities))
