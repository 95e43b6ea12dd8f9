"""The accuracy benchmark from training to table, on a corpus of tones."""

import json
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from benchmarks.accuracy import main
from benchmarks.storage import main as storage
from tests.tiny_run import tiny_corpus, tiny_recipe

pytestmark = pytest.mark.training

EMOTIONS = {"03": "happy", "04": "sad"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a corpus of six actors, a recipe and two folds."""
    base = tmp_path_factory.mktemp("benchmark")
    tiny_corpus(base / "corpus")
    tiny_recipe(base / "tiny.json", epochs=1)
    lines = ["file,speaker,new_speakers_fold,random_clips_fold"]
    for number, path in enumerate(sorted((base / "corpus").rglob("*.wav"))):
        actor = int(path.stem[-2:])
        lines.append(f"ravdess/{path.name},ravdess-{actor:02},{actor % 2},{number // 2 % 2}")
    (base / "folds.csv").write_text("\n".join(lines) + "\n")
    return base


@pytest.fixture
def model(base: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the recipe's path, with features kept apart from the user's."""
    monkeypatch.setenv("EMOTOOL_CACHE", str(base / "cache"))
    return str(base / "tiny.json")


def options(base: Path, *more: str) -> list[str]:
    """Return the options of every training in this test."""
    paths = {"data": "corpus", "folds": "folds.csv", "runs": "runs"}
    given = [part for name, path in paths.items() for part in (f"--{name}", str(base / path))]
    return ["--results", str(base / "results"), "train", *given, *more]


def test_from_training_to_table(
    base: Path, model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs are done once; a lost result is taken from its run; the table needs no corpus."""
    assert main(options(base, "--models", model, "--seeds", "0", "1", "--dry-run")) == 0
    # Two folds of new speakers and of random clips, and one corpus to be left out.
    assert capsys.readouterr().err.count("to do") == 2 * (2 + 2 + 1)
    arguments = options(base, "--models", model, "--protocols", "new_speakers")
    assert main(arguments) == 0
    assert capsys.readouterr().err.count(": training") == 2
    assert main(arguments) == 0
    assert capsys.readouterr().err.count(": done") == 2

    table = ["--results", str(base / "results"), "table", "--votes", "nowhere.csv"]
    assert main(table) == 0
    text = capsys.readouterr().out
    assert "| `tiny` | - | - | **" in text
    assert "24 clips of 6 speakers" in text
    figures = json.loads((base / "results" / "figures.json").read_text())["tiny"]
    assert {name: one["clips"] for name, one in figures["protocols"].items()} == {
        "new_speakers": 24
    }
    assert main(["--results", str(base / "results"), "pictures"]) == 0
    assert "reliability.png" in capsys.readouterr().out

    lost = base / "results" / "tiny" / "new_speakers" / "fold1-seed0"
    before = lost.with_suffix(".csv").read_bytes()
    lost.with_suffix(".json").unlink()
    lost.with_suffix(".csv").unlink()
    monkeypatch.setattr("subprocess.run", None)  # nothing may be trained
    assert main(arguments) == 0
    assert lost.with_suffix(".csv").read_bytes() == before


def test_forms_of_storage_are_compared_on_the_same_folds(
    base: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each fold's model in each form labels the clips it was not trained on."""
    arguments = options(base, "--models", model, "--protocols", "new_speakers")
    assert main(arguments) == 0
    capsys.readouterr()
    given = ["--runs", str(base / "runs"), "--output", str(base / "storage.md"), "--forms", "int8"]
    assert storage(["tiny", *given]) == 0
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[2] for row in rows] == ["float32", "int8"]
    assert {row[1] for row in rows} == {"2"}
    assert {row[-1] for row in rows} == {"24 |"}
    assert rows[0][5:9] == ["+0.00", rows[0][6], "+0.00", "100.0"]
    assert storage(["nosuch", *given]) == 1
    assert "no finished run of nosuch" in capsys.readouterr().err


def test_results_of_a_changed_recipe_are_not_added_to(
    base: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error says which results are of another recipe."""
    arguments = options(base, "--models", model, "--fold", "1", "--protocols", "new_speakers")
    assert main(arguments) == 0
    recipe = json.loads(Path(model).read_text())
    Path(model).write_text(json.dumps({**recipe, "batch_size": 5}))
    capsys.readouterr()
    assert main(arguments) == 1
    assert "of another recipe" in capsys.readouterr().err
    Path(model).write_text(json.dumps(recipe))


def test_nothing_to_show_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty folder gives no table, and no file."""
    assert main(["--results", str(tmp_path), "table", "--votes", "nowhere.csv"]) == 1
    assert "no complete cross-validation" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    assert not tmp_path.with_suffix(".md").exists()
