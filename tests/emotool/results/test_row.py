"""A result says why it has no label, and when its label is uncertain."""

from emotool.results.row import UNCERTAIN, ClipResult


def test_a_clip_below_the_confidence_asked_for_is_uncertain() -> None:
    """At the limit the label stays; a clip without one is not uncertain."""
    row = ClipResult(0, "a.wav", "ok", "cnn", "sad", 0.6, (0.4, 0.6))
    assert row.uncertain_below(0.6) is row
    unsure = row.uncertain_below(0.61)
    assert (unsure.label, unsure.probabilities) == (UNCERTAIN, row.probabilities)
    silent = ClipResult(1, "b.wav", "silent")
    assert silent.uncertain_below(1.0) is silent


def test_the_reason_of_a_failure_names_its_stage() -> None:
    """Other reasons stand alone."""
    assert ClipResult(0, "a", "failed", stage="open", error="no file").reason == "open: no file"
    assert ClipResult(0, "a", "silent", error="no sound").reason == "no sound"
    assert ClipResult(0, "a", "ok").reason == ""
