"""Times of segments are compared with where the windows of a made recording are."""

from pathlib import Path

import pytest

from benchmarks.long_recording import misplaced, synthesise
from emotool.features.extraction import iter_extract
from emotool.features.spec import SpectrogramSpec

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return a table of the segments of a recording of one minute."""
    path = tmp_path_factory.mktemp("long") / "long.flac"
    synthesise(path, 1)
    spans = [
        span
        for part in iter_extract(path, SpectrogramSpec())
        for span in zip(part.starts_s, part.ends_s, strict=True)
    ]
    return ["start_s,end_s", *(f"{start:.6f},{end:.6f}" for start, end in spans)]


def test_emotools_times_are_exact(tmp_path: Path, lines: list[str]) -> None:
    """Two of twenty-one windows are pauses; the last one ends with the file."""
    (tmp_path / "t.csv").write_text("\n".join(lines))
    found = misplaced(tmp_path / "t.csv", 1)
    assert (found["rows"], found["times"]) == (19, 0)
    assert found["largest"] < 0.025


def test_a_time_beside_its_place_is_noticed(tmp_path: Path, lines: list[str]) -> None:
    """A sample at 48 kHz is enough."""
    start, end = map(float, lines[5].split(","))
    changed = [*lines[:5], f"{start + 1 / 48_000:.6f},{end:.6f}", *lines[6:]]
    (tmp_path / "t.csv").write_text("\n".join(changed))
    found = misplaced(tmp_path / "t.csv", 1)
    assert found["times"] == 1
    assert found["largest"] == pytest.approx(1, abs=0.05)


def test_a_missing_window_is_an_error(tmp_path: Path, lines: list[str]) -> None:
    """So is one where nothing is heard."""
    (tmp_path / "t.csv").write_text("\n".join(lines[:-1]))
    with pytest.raises(SystemExit, match="18 rows, where 19"):
        misplaced(tmp_path / "t.csv", 1)
