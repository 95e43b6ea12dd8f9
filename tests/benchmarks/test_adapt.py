"""The benchmark of adaptation: draws without the test speakers, and the table's verdicts."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")
pytest.importorskip("sklearn", reason="needs the adapt extra")

from benchmarks import adapt_protocol
from benchmarks.adapt_few_speakers import few_speakers, few_speakers_table
from benchmarks.adapt_protocol import COUNTS, KINDS, Part, Vectors, draw
from benchmarks.adapt_table import markdown, picture
from emotool_training.loop.linear_head import Solved, Statistics


def part(speakers: int = 8, clips: int = 10) -> Part:
    """Return clips of two labels that the base cannot tell apart, and a head can."""
    random = np.random.default_rng(0)
    count = speakers * clips
    targets = np.arange(count) % 2
    windows = [random.normal(size=(1, 6)).astype(np.float32) for _ in range(count)]
    for rows, target in zip(windows, targets, strict=True):
        rows[:, 0] += 4.0 * target
    return Part(windows, targets, [f"s{number % speakers}" for number in range(count)])


def base() -> Solved:
    """Return a head that says the first label always."""
    statistics = Statistics(np.zeros(6, np.float32), np.ones(6, np.float32))
    return Solved(statistics, np.zeros((6, 2), np.float32), np.array([1, 0], np.float32), 0.0)


def test_few_clips_are_the_base_and_all_are_better() -> None:
    """With 0 clips the figure is the base's; with all it is that of a fitted head."""
    found: dict[str, dict[str, list[float]]] = {kind: {} for kind in KINDS}
    draw(part(clips=100), base(), 1.0, np.random.default_rng(0), found)
    for kind in KINDS:
        assert list(found[kind]) == ["0", "5", "10", "20", "40", "all"]
        assert found[kind]["0"] == [0.5]
        assert found[kind]["all"][0] > 0.9


def test_the_test_speakers_are_never_adapted_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the speakers adapt; the clips judged are all of the others."""
    seen: list[set[str]] = []
    judged: list[int] = []
    solved_head = adapt_protocol.solved_head

    def watched(data: object, speakers: list[str]) -> object:
        seen.append(set(speakers))
        return solved_head(data, speakers)  # type: ignore[arg-type]

    monkeypatch.setattr(adapt_protocol, "solved_head", watched)
    monkeypatch.setattr(
        adapt_protocol,
        "uar_of",
        lambda test, added: float(judged.append(len(test.targets)) or 0.0),  # type: ignore[func-returns-value]
    )
    draw(part(), base(), 1.0, np.random.default_rng(0), {kind: {} for kind in KINDS})
    assert len(set.union(*seen)) == 4
    assert set(judged) == {40}


def test_the_table_says_what_few_clips_cost_and_twenty_gain(tmp_path: Path) -> None:
    """The verdicts are over all models, corpora and bases."""
    names = ["all" if count is None else str(count) for count in COUNTS]
    low = {name: [0.50 + 0.02 * place] for place, name in enumerate(names)}
    high = {name: [0.94 if name == "5" else 0.95] for name in names}
    uar = {KINDS[0]: low, KINDS[1]: high}
    found = {"whisper": {"emodb": {"uar": uar, "base": 0.6, "kept": 0.6}}}
    text = markdown(found)
    assert "-1.0 points (whisper, emodb, own statistics)" in text
    assert "+6.0 points (whisper, emodb, as shipped)" in text
    picture(found, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 10_000


def test_few_speakers_are_judged_on_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """No clip of an adapting speaker is judged; each kind of draw has a line in the table."""
    whole = part(clips=30)
    module = "benchmarks.adapt_few_speakers"
    monkeypatch.setattr(f"{module}.left_out", lambda *_: (whole, base(), 1.0, 0.5))
    sizes: list[int] = []
    monkeypatch.setattr(
        f"{module}.uar_of",
        lambda test, added: float(sizes.append(len(test.targets)) or added is None),  # type: ignore[func-returns-value]
    )
    found = few_speakers(Vectors([], []), "tiny", "emodb", Path())
    assert set(sizes) == {7 * 30, 6 * 30, 5 * 30, 4 * 30}  # of 1, 2, 3 and half of 8 speakers
    table = few_speakers_table({"tiny": {"emodb": found}})
    assert "| tiny | emodb | 1 speaker | 72 | 100.0 | 0.0 | -100.0 | -100.0 | 100 % |" in table
    assert "half of the speakers, not named" in table
