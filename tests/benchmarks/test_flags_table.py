"""The table of the flags is counted as it says."""

import pytest

from benchmarks.flags_table import Row, markdown, precision
from benchmarks.spoiling import File, Spoiling


def _way(flag: str, kind: str) -> Spoiling:
    return Spoiling(flag, kind, "", lambda samples, rng: File(samples))


def _row(flag: str, kind: str, flagged: dict[str, int], clips: int) -> Row:
    """Return a row of clips of which so many have each flag, no clip two of them."""
    row = Row(_way(flag, kind))
    for raised, count in flagged.items():
        for _ in range(count):
            row.count("one", {raised})
    for _ in range(clips - sum(flagged.values())):
        row.count("other", ())
    return row


def test_recall_and_false_alarms_are_shares_of_the_right_clips() -> None:
    """Recall over all degrees of a spoiling; false alarms on clean clips and on other spoilings."""
    rows = [
        _row("", "nothing", {"noisy": 1, "clipped": 1}, 100),
        _row("noisy", "hiss", {"noisy": 9}, 10),
        _row("noisy", "babble", {"noisy": 3, "speechless": 1}, 10),
        _row("clipped", "too loud", {"noisy": 2, "clipped": 8}, 10),
        _row("", "mild hiss", {"noisy": 5}, 10),
    ]
    lines = markdown(rows, "100 clips").splitlines()
    assert "| `noisy` | 60.0 % | 1.00 % | 87.0 % | 20.0 % |" in lines
    assert "| `clipped` | 80.0 % | 1.00 % | 89.9 % | 0.0 % |" in lines
    assert "| any |  | 2.00 % |  |  |" in lines
    assert "| one | 2 | 100.00 % |" in lines
    assert any(
        line.startswith("| mild hiss |  | – | 0.0 % | 0.0 % | 0.0 % | 50.0 %") for line in lines
    )


@pytest.mark.parametrize(
    ("recall", "false_alarms", "expected"), [(1.0, 0.0, 1.0), (0.0, 0.0, 0.0), (1.0, 1.0, 0.1)]
)
def test_precision_is_that_of_one_spoilt_clip_in_ten(
    recall: float, false_alarms: float, expected: float
) -> None:
    """A flag on everything is right for the tenth that is spoilt."""
    assert precision(recall, false_alarms) == pytest.approx(expected)


def test_what_is_no_speech_has_no_right_label() -> None:
    """The column of the model's right answers is empty there."""
    noise, clean = _row("speechless", "rain", {"speechless": 4}, 4), _row("", "nothing", {}, 4)
    noise.labelled = clean.labelled = 4
    clean.right = 3
    lines = markdown([clean, noise], "4 clips").splitlines()
    assert any(line.startswith("| nothing |") and line.endswith("| 75.0 % |") for line in lines)
    assert any(line.startswith("| rain |") and line.endswith("|  |") for line in lines)
