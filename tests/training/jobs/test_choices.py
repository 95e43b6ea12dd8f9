"""What is chosen on the command line, and the split that follows."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from emotool.errors import CorpusError, TrainingError
from emotool_training.jobs.choices import Choices
from emotool_training.jobs.splitting import refuse_unused, split_by
from tests.tiny_run import tiny_corpus

pytestmark = pytest.mark.training

LABELS = ("happy", "sad")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve actors, 48 clips."""
    return tiny_corpus(tmp_path_factory.mktemp("c") / "corpus", actors=12)


@pytest.fixture(scope="module")
def folds(corpus: Path) -> Path:
    """Write a CSV of three folds of actors, with one validation speaker for each."""
    lines = ["file,speaker,new_speakers_fold,random_clips_fold"]
    for number, path in enumerate(sorted(corpus.rglob("*.wav"))):
        actor = int(path.stem[-2:])
        lines.append(f"ravdess/{path.name},ravdess-{actor:02},{actor % 3},{number % 3}")
    table = corpus.parent / "folds.csv"
    table.write_text("\n".join(lines) + "\n")
    beside = corpus.parent / "validation_speakers.csv"
    beside.write_text("fold,speaker\n0,ravdess-01\n1,ravdess-02\n2,ravdess-03\n")
    return table


def test_choices_survive_a_runs_config(corpus: Path) -> None:
    """As JSON."""
    chosen = Choices(data=(str(corpus),), labels=("sad", "fear"), seed=3, test_share=0.2)
    assert Choices.from_dict(json.loads(json.dumps(asdict(chosen)))) == chosen


@pytest.mark.parametrize("values", [None, {}, {"data": []}, "x"])
def test_choices_of_another_program_are_refused(values: object) -> None:
    """A run that cannot be understood is not guessed at."""
    with pytest.raises(TrainingError):
        Choices.from_dict(values)


def test_places_are_named_in_full(
    corpus: Path, folds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run can be resumed from another folder; validation speakers are found beside folds."""
    monkeypatch.chdir(corpus.parent)
    settled = Choices(data=("corpus",), folds="folds.csv").settled()
    assert settled.data == (str(corpus),)
    assert settled.folds == str(folds)
    assert settled.validation_speakers == str(folds.with_name("validation_speakers.csv"))
    monkeypatch.setenv("EMOTOOL_CORPUS", str(corpus))
    assert Choices().settled().data == (str(corpus),)


def test_places_behind_links_are_beside_the_link(tmp_path: Path) -> None:
    """A manifest that DataLad keeps elsewhere names clips from where it is seen to lie."""
    mine, kept = tiny_corpus(tmp_path / "mine"), tmp_path / "kept"
    kept.mkdir()
    clips = sorted(mine.rglob("*.wav"))
    rows = [f"{clip.relative_to(mine)},{LABELS[n % 2]}\n" for n, clip in enumerate(clips)]
    (kept / "a1b2").write_text("path,emotion\n" + "".join(rows))
    (kept / "c3d4").write_text("fold,speaker\n0,ravdess-01\n")
    try:
        for name, file in (("list", "a1b2"), ("validation_speakers", "c3d4"), ("folds", "c3d4")):
            (mine / f"{name}.csv").symlink_to(kept / file)
    except OSError as error:
        pytest.skip(f"there are no links here: {error}")
    settled = Choices(data=(str(mine / "list.csv"),), split="clips").settled()
    split = split_by(settled, LABELS)
    assert sum(len(side) for side in split.subsets().values()) == len(clips)
    settled = Choices(data=(str(mine),), folds=str(mine / "folds.csv")).settled()
    assert settled.folds == str(mine / "folds.csv")
    assert settled.validation_speakers == str(mine / "validation_speakers.csv")


def test_without_data_the_error_says_where_to_get_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither --data nor $EMOTOOL_CORPUS."""
    monkeypatch.delenv("EMOTOOL_CORPUS", raising=False)
    with pytest.raises(CorpusError) as caught:
        Choices().settled()
    assert "CREMA-D" in caught.value.hint


def test_a_runs_choices_take_new_places_and_nothing_else() -> None:
    """What is chosen again alike agrees; what is chosen otherwise does not."""
    begun = Choices(data=("/old",), seed=1, epochs=5)
    assert begun.merged(Choices()) == begun
    assert begun.merged(Choices(data=("/new",), seed=1)) == Choices(("/new",), seed=1, epochs=5)
    assert begun.merged(Choices(seed=2)) is None
    assert begun.merged(Choices(fold=1)) is None


@pytest.mark.parametrize(
    ("begun", "now", "agrees"),
    [
        ({}, {"split": "speakers", "validation_share": 0.15, "test_share": 0.15}, True),
        ({"split": "speakers"}, {}, True),
        ({"split": "clips"}, {"test_share": 0.15}, True),
        ({"folds": "f.csv", "fold": 0}, {"split": "folds"}, True),
        ({"folds": "f.csv", "fold": 0}, {"split": "speakers"}, False),
        ({}, {"split": "clips"}, False),
        ({}, {"test_share": 0.2}, False),
        ({"test_share": 0.2}, {"test_share": 0.15}, False),
        ({"fold": 0}, {"validation_share": 0.15}, False),
        ({"split": "cremad"}, {"test_share": 0.15}, False),
    ],
)
def test_what_holds_anyway_may_be_named(
    begun: dict[str, object], now: dict[str, object], agrees: bool
) -> None:
    """A default that is named is no other choice, where it is the default."""
    first, again = Choices(**begun), Choices(**now)  # type: ignore[arg-type]
    assert (first.merged(again) is not None) == agrees


def test_validation_speakers_move_with_the_folds(folds: Path, tmp_path: Path) -> None:
    """Named anew, the folds have them beside; but those that are still there, or named, stay."""
    speakers = folds.with_name("validation_speakers.csv")
    begun = Choices(folds=str(folds), fold=1, validation_speakers=str(speakers))
    for file in (folds, speakers):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    now = Choices(folds=str(tmp_path / folds.name))
    assert begun.merged(now) == replace(begun, folds=now.folds)
    gone = replace(begun, validation_speakers=str(tmp_path / "gone.csv"))
    beside = str(tmp_path / "validation_speakers.csv")
    assert gone.merged(now) == replace(gone, folds=now.folds, validation_speakers=beside)
    named = replace(now, validation_speakers="named.csv")
    assert gone.merged(named) == replace(gone, folds=now.folds, validation_speakers="named.csv")
    assert gone.merged(Choices()) == gone


def test_labels_and_epochs_replace_the_recipes() -> None:
    """The rest of the recipe stays; labels may be any, at least two, and different."""
    recipe = Choices(labels=("anger", "fear", "sad"), epochs=2).recipe("cnn")
    assert (recipe.labels, recipe.epochs) == (("anger", "fear", "sad"), 2)
    assert Choices().recipe("cnn").labels == ("happy", "sad")
    assert Choices(labels=("calm", "shouting")).recipe("cnn").labels == ("calm", "shouting")
    for labels in (("happy",), ("sad", "sad")):
        with pytest.raises(TrainingError, match="label"):
            Choices(labels=labels).recipe("cnn")


def test_speakers_are_kept_apart_unless_said_otherwise(corpus: Path) -> None:
    """The same split for every seed of training; another for another seed of splitting."""
    data = (str(corpus),)
    split = split_by(Choices(data=data), LABELS)
    assert (split.kind, split.comparable) == ("speakers", True)
    assert split_by(Choices(data=data, seed=5), LABELS).digest == split.digest
    assert split_by(Choices(data=data, split_seed=5), LABELS).digest != split.digest
    shares = Choices(data=data, validation_share=0.25, test_share=0.0)
    none = split_by(shares, LABELS)
    assert (len(none.test), len(none.validation)) == (0, 12)


def test_test_clips_can_be_withheld(corpus: Path, folds: Path) -> None:
    """Training and validation stay what they are, and the description says so."""
    chosen = Choices(data=(str(corpus),), folds=str(folds), fold=1).settled()
    whole = split_by(chosen, LABELS)
    withheld = split_by(replace(chosen, withhold_test=True), LABELS)
    assert withheld.test == ()
    assert (withheld.train, withheld.validation) == (whole.train, whole.validation)
    assert "withheld" in withheld.description


def test_random_clips_are_called_not_comparable(corpus: Path, folds: Path) -> None:
    """Drawn, or by a CSV's folds."""
    for chosen in (
        Choices(data=(str(corpus),), split="clips"),
        Choices(data=(str(corpus),), split="clips", folds=str(folds), fold=1),
    ):
        split = split_by(chosen, LABELS)
        assert not split.comparable
        assert "not comparable" in split.description


def test_a_csv_of_folds_says_who_tests_and_who_validates(corpus: Path, folds: Path) -> None:
    """Naming the CSV is enough to mean it."""
    chosen = Choices(data=(str(corpus),), folds=str(folds), fold=1).settled()
    split = split_by(chosen, LABELS)
    assert split.kind == "folds"
    assert {u.speaker for u in split.validation} == {"ravdess-02"}
    assert {u.speaker for u in split.test} == {f"ravdess-{n:02}" for n in (1, 4, 7, 10)}


def test_a_fold_without_a_csv_is_drawn(corpus: Path) -> None:
    """Each speaker tests in one of them."""
    tested = [
        {u.speaker for u in split_by(Choices(data=(str(corpus),), fold=n), LABELS).test}
        for n in range(5)
    ]
    assert len(set().union(*tested)) == sum(len(part) for part in tested) == 12


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": "people"}, "unknown split 'people'"),
        ({"split": "folds"}, "needs a CSV"),
        ({"folds": "folds.csv"}, "which fold is"),
        ({"fold": 5}, "no fold 5"),
        ({"split": "clips", "fold": 1}, "no fold 1 of clips"),
        ({"split": "cremad"}, "CREMA-D"),
    ],
)
def test_choices_that_make_no_split_are_refused(
    corpus: Path, changes: dict[str, object], message: str
) -> None:
    """Each with a reason."""
    with pytest.raises(CorpusError, match=message):
        split_by(Choices(data=(str(corpus),), **changes), LABELS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"validation_speakers": "v.csv"}, "with no --folds, --validation-speakers has"),
        ({"split": "clips", "validation_speakers": "v.csv"}, "with no --folds"),
        ({"fold": 1, "validation_speakers": "v.csv"}, "with --fold and no --folds"),
        ({"fold": 1, "validation_share": 0.3}, "--validation-share has no effect"),
        ({"fold": 1, "test_share": 0.0}, "--test-share has no effect"),
        ({"folds": "f.csv", "fold": 1, "test_share": 0.0}, "with --folds, --test-share"),
        (
            {"folds": "f.csv", "fold": 1, "split": "clips", "validation_speakers": "v.csv"},
            "with --folds and --split clips, --validation-speakers",
        ),
        ({"split": "cremad", "folds": "f.csv"}, "with --split cremad, --folds has"),
        ({"split": "cremad", "fold": 0}, "with --split cremad, --fold has"),
        ({"split": "cremad", "validation_share": 0.1}, "with --split cremad, --validation-share"),
    ],
)
def test_choices_without_effect_are_refused(changes: dict[str, object], message: str) -> None:
    """Whoever makes one believes that it is kept."""
    with pytest.raises(CorpusError, match=message):
        refuse_unused(Choices(**changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"split": "clips", "validation_share": 0.2, "test_share": 0.0},
        {"fold": 4, "split_seed": 2},
        {"folds": "f.csv", "fold": 0, "validation_speakers": "v.csv", "split": "folds"},
        {"folds": "f.csv", "fold": 0, "split": "clips"},
        {"split": "cremad"},
    ],
)
def test_choices_with_an_effect_are_taken(changes: dict[str, object]) -> None:
    """Those of the published figures among them."""
    refuse_unused(Choices(**changes))  # type: ignore[arg-type]
