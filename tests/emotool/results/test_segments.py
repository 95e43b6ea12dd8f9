"""Windows as rows, and neighbours of one label as one."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotool.results.row import ClipResult, Segment
from emotool.results.segments import merge_segments, segment_rows

LABELS = ("happy", "sad")


def clip(*segments: Segment) -> ClipResult:
    """Return a clip with segments."""
    return ClipResult(
        0, "a.wav", "ok", "cnn", "sad", 0.6, (0.4, 0.6), 9.0, ("long",), segments=segments
    )


def test_each_window_is_a_row_with_its_own_label() -> None:
    """Times and probabilities are the window's, the rest is the clip's."""
    rows = segment_rows(clip(Segment(0, 3, (0.9, 0.1)), Segment(3, 5, (0.2, 0.8))), LABELS)
    assert [(row.span, row.label, row.confidence) for row in rows] == [
        ((0, 3), "happy", 0.9),
        ((3, 5), "sad", 0.8),
    ]
    assert {(row.shown, row.duration_s, row.flags, row.segments) for row in rows} == {
        ("a.wav", 9.0, ("long",), ())
    }


def test_a_clip_without_windows_has_its_row() -> None:
    """No row is lost."""
    failed = ClipResult(1, "b.wav", "failed", stage="decode", error="no sound")
    assert segment_rows(failed, LABELS, merge=True) == [failed]


def test_neighbours_of_one_label_are_joined() -> None:
    """Their probabilities are weighted by length; a gap, or another label, parts them."""
    rows = segment_rows(
        clip(
            Segment(0, 3, (0.9, 0.1)),
            Segment(3, 4, (0.5, 0.5)),
            Segment(4, 7, (0.1, 0.9)),
            Segment(8, 9, (0.2, 0.8)),
        ),
        LABELS,
        merge=True,
    )
    assert [row.span for row in rows] == [(0, 4), (4, 7), (8, 9)]
    assert rows[0].probabilities == pytest.approx((0.8, 0.2))


def test_joined_embeddings_are_weighted_like_probabilities() -> None:
    """Rows keep their window's embedding; joined ones have the mean by length."""
    numbers = [np.array(values, "<f4").tobytes() for values in ([4, 0], [0, 8], [1, 1])]
    said = clip(
        Segment(0, 3, (0.9, 0.1), numbers[0]),
        Segment(3, 4, (0.5, 0.5), numbers[1]),
        Segment(4, 5, (0.1, 0.9), numbers[2]),
    )
    assert [row.embedding for row in segment_rows(said, LABELS)] == numbers
    rows = segment_rows(said, LABELS, merge=True)
    assert [np.frombuffer(row.embedding, "<f4").tolist() for row in rows] == [[3, 2], [1, 1]]


@given(
    st.lists(
        st.tuples(st.floats(0.01, 5), st.floats(0, 2), st.floats(0, 1)), min_size=1, max_size=12
    )
)
def test_joined_segments_cover_what_their_parts_did(
    parts: list[tuple[float, float, float]],
) -> None:
    """Starts rise, none of a joined segment's parts had another label, sums stay 1."""
    time, segments = 0.0, []
    for length, gap, share in parts:
        segments.append(Segment(time, time + length, (share, 1 - share)))
        time += length + (gap if gap > 1 else 0.0)
    joined = merge_segments(segments)
    assert joined[0].start_s == segments[0].start_s
    assert joined[-1].end_s == segments[-1].end_s
    assert all(a.end_s <= b.start_s for a, b in itertools.pairwise(joined))
    for segment in joined:
        assert sum(segment.probabilities) == pytest.approx(1)
        inside = [s for s in segments if segment.start_s <= s.start_s and s.end_s <= segment.end_s]
        best = {s.probabilities.index(max(s.probabilities)) for s in inside}
        assert best == {segment.probabilities.index(max(segment.probabilities))}
