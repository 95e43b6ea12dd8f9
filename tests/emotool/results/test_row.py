"""What a row is called by, and when its label is in doubt."""

from emotool.results.row import UNCERTAIN, ClipResult, columns, doubted


def test_columns_are_the_documented_ones() -> None:
    """The order and names of the columns are a promise to everyone who reads the files."""
    assert ",".join(columns(("happy", "sad"))) == (
        "path,status,label,confidence,p_happy,p_sad,duration_s,flags,model,error"
    )


def test_columns_of_segments_say_when() -> None:
    """The two times stand behind the duration, and nothing else moves."""
    plain, spans = columns(("a", "b")), columns(("a", "b"), spans=True)
    at = plain.index("duration_s") + 1
    assert spans == (*plain[:at], "start_s", "end_s", *plain[at:])


def test_a_clip_below_the_confidence_asked_for_is_uncertain() -> None:
    """At the limit the label stands; a clip without one is not called anything."""
    row = ClipResult(0, "a.wav", "ok", "cnn", "sad", 0.6, (0.4, 0.6))
    assert doubted(row, 0.6) is row
    unsure = doubted(row, 0.61)
    assert (unsure.label, unsure.probabilities) == (UNCERTAIN, row.probabilities)
    silent = ClipResult(1, "b.wav", "silent")
    assert doubted(silent, 1.0) is silent
