"""How often people are right."""

from pathlib import Path

import pytest

from benchmarks.listeners import count_votes

HEADER = "clip,votes_anger,votes_disgust,votes_fear,votes_happy,votes_neutral,votes_sad\n"


def test_votes_for_the_acted_emotion_are_right(tmp_path: Path) -> None:
    """Of two labels only votes for the two count, on clips acted as one of them."""
    table = tmp_path / "clips.csv"
    table.write_text(
        HEADER
        + "1001_DFA_HAP_XX,1,0,0,6,2,1\n1001_DFA_SAD_XX,0,0,0,1,5,4\n1001_DFA_ANG_XX,9,0,0,9,9,9\n"
    )
    two = count_votes(table, ("happy", "sad"))
    assert (two.right, two.votes) == (6 + 4, 7 + 5)
    six = count_votes(table)
    assert (six.right, six.votes) == (6 + 4 + 9, 10 + 10 + 36)
    assert six.share == 19 / 56


def test_a_name_that_is_not_cremads_is_an_error(tmp_path: Path) -> None:
    """A table of something else is not counted in silence."""
    table = tmp_path / "clips.csv"
    table.write_text(HEADER + "song,1,0,0,6,2,1\n")
    with pytest.raises(ValueError, match="song"):
        count_votes(table)


def test_cremads_listeners(shared: Path) -> None:
    """Voice only: 92.2 % of votes for happy or sad are right, 40.0 % of votes for the six."""
    table = shared / "cremad" / "clips.csv"
    assert f"{count_votes(table, ('happy', 'sad')).share:.1%}" == "92.2%"
    assert f"{count_votes(table).share:.1%}" == "40.0%"
