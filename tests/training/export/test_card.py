"""Model cards."""

import re
from pathlib import Path

import pytest

from emotool.features.spec import SpectrogramSpec
from emotool.model.classifier import read_metadata
from emotool.model.metadata import Golden, ModelMetadata
from emotool_training.export.card import licence_of, model_card


def metadata(**changed: object) -> ModelMetadata:
    """Say of a model with figures under both protocols what its file would."""
    figures = {
        "uar": 0.9123,
        "uar_low": 0.88,
        "uar_high": 0.935,
        "accuracy": 0.9,
        "clips": 1405,
        "speakers": 34,
        "seeds": 3,
        "per_corpus": {"tess": {"uar": 0.955, "speakers": 1}, "nemo": {"uar": 0.81, "speakers": 7}},
    }
    fields: dict[str, object] = {
        "name": "cnn",
        "labels": ("happy", "sad"),
        "input": SpectrogramSpec(),
        "temperature": 1.25,
        "golden": Golden(1, (0.4, 0.6)),
        "architecture": "cnn",
        "corpora": ("nemo", "tess", "own"),
        "split": {"description": "by speaker", "speakers": {"train": ["nemo-A", "nemo-B"]}},
        "metrics": {
            "new_speakers": {**figures, "ece_before": 0.08, "ece_after": 0.03},
            "random_clips": figures,
        },
        "licence": licence_of(["nemo", "tess"]),
    }
    return ModelMetadata(**{**fields, **changed})  # type: ignore[arg-type]


def test_figures_come_with_intervals_and_protocol() -> None:
    """The headline with its interval, each corpus, and what was tested on."""
    card = model_card(metadata(), 2_345_678)
    assert "| new speakers | 91.2 (88.0-93.5) |" in card
    assert "81.0 | 95.5 | 1405 | 34 | 3 |" in card
    assert "calibration error 0.080 before and 0.030 after" in card
    assert "tess has a single speaker" in card
    assert "2.3 MB" in card


def test_the_error_at_the_stored_temperature_is_told_where_known() -> None:
    """It is what the file does; figures of older tables have only the folds' own."""
    measured = {**metadata().metrics["new_speakers"], "ece_stored": 0.042}
    card = model_card(metadata(metrics={"new_speakers": measured}), 1)
    assert "0.030 after a temperature fitted on each fold's validation speakers; 0.042 at" in card
    assert "as the stored one is" not in model_card(metadata(), 1)


def test_figures_on_another_corpus_do_not_change_how_the_temperature_was_fitted() -> None:
    """A file may be older than the third protocol: its temperature is of validation speakers."""
    new = {**metadata().metrics["new_speakers"], "ece_stored": 0.042}
    abroad = {name: value for name, value in new.items() if not name.startswith("ece")}
    card = model_card(metadata(metrics={"another_corpus": abroad, "new_speakers": new}), 1)
    assert "without the test speakers, as the stored one is" in card


def test_the_range_of_a_few_other_speakers_is_printed_where_known() -> None:
    """An interval of the mean over 35 speakers is no promise to a study of ten."""
    new = {**metadata().metrics["new_speakers"], "uar_others_low": 0.837, "uar_others_high": 0.943}
    card = model_card(metadata(metrics={"new_speakers": new}), 1)
    assert "ten others, drawn from these corpora, lies between 83.7 and 94.3 in 95 %" in card
    assert "ten others" not in model_card(metadata(), 1)


def test_random_clips_are_always_marked() -> None:
    """Wherever that protocol's figures are, so are the words."""
    rows = [line for line in model_card(metadata(), 1).splitlines() if "random clips" in line]
    assert rows
    assert all("not comparable: speakers shared" in row for row in rows)


def test_data_licence_and_limits_are_said() -> None:
    """Each corpus with its terms; unknown data too; what the model is not for."""
    card = model_card(metadata(), 1)
    assert re.search(r"nEMO.*\| 2 \| pl \| CC BY-NC-SA 4\.0", card)
    assert "| own | - | - | terms of its owner | - |" in card
    assert "non-commercial use only" in card
    assert "Art. 5(1)(f)" in card
    assert "acted" in card


def test_speakers_are_counted_in_their_own_corpus() -> None:
    """A second folder of the same name is called mine-2: its speakers are not mine's."""
    split = {
        "description": "by hand",
        "speakers": {"train": ["mine-anna", "mine-2-bo", "mine-2-c"]},
    }
    card = model_card(metadata(corpora=("mine", "mine-2"), split=split), 1)
    assert re.search(r"^\| mine \| 1 \|", card, re.MULTILINE)
    assert re.search(r"^\| mine-2 \| 2 \|", card, re.MULTILINE)


def test_speakers_kept_for_validation_are_not_said_to_have_ended_the_training() -> None:
    """Most recipes train for as long as they say, whatever those speakers show."""
    split = {**metadata().split, "speakers": {"train": ["nemo-A"], "validation": ["nemo-B"]}}
    card = model_card(metadata(split=split), 1)
    assert "Validation speakers: 1." in card
    assert "stopped" not in card
    assert "Validation speakers" not in model_card(metadata(), 1)


def test_a_card_speaks_of_its_own_labels_only() -> None:
    """A model of other emotions is not said to have learnt happy and sad speech."""
    golden = Golden(1, (0.2, 0.3, 0.5))
    card = model_card(metadata(labels=("anger", "fear", "neutral"), golden=golden), 1)
    assert "anger, fear or neutral" in card
    assert not re.search(r"\b(happy|sad)\b", card)


def test_a_model_without_figures_says_so() -> None:
    """No figure is better than an invented one."""
    assert "Not measured." in model_card(metadata(metrics={}), 1)


def test_tables_are_whole() -> None:
    """Every row of a table has as many cells as its header."""
    for block in re.findall(r"(?:^\|.*\n)+", model_card(metadata(), 1), re.MULTILINE):
        assert len({line.count("|") for line in block.splitlines()}) == 1


def test_open_data_leaves_weights_open_and_unknown_data_to_its_owner() -> None:
    """The strictest corpus decides."""
    assert licence_of(["cremad"]).startswith("the terms of the data")
    assert licence_of(["cremad", "emodb"]).startswith("non-commercial")
    assert "own terms of its owner" in licence_of(["own"])


def test_cards_of_own_models_claim_nothing_that_is_not_known() -> None:
    """Neither acted speech, nor a LICENSE that is not there, nor other speakers."""
    split = {"description": "random clips", "speakers": {"train": [""], "validation": [""]}}
    figures = {"uar": 0.9, "clips": 400, "speakers": 1, "unknown_speakers": 400}
    own = metadata(corpora=("mine",), split=split, metrics={"validation": figures})
    card = model_card(own, 1, licence_file=False)
    assert "**acted**" not in card
    assert "children" not in card
    assert "LICENSE" not in card
    assert "Validation speakers" not in card
    assert "the validation speakers" not in card
    assert "| 400 | unknown |" in card
    assert "--model PATH/cnn.onnx" in card
    assert "400 clips of unknown people: too few to measure" in card


def test_a_licence_file_is_named_only_where_it_is_about_the_corpora() -> None:
    """It lies beside emotool's own models and names public corpora."""
    public = metadata(corpora=("nemo", "tess"))
    assert "See `LICENSE`" in model_card(public, 1)
    assert "See `LICENSE`" not in model_card(public, 1, licence_file=False)
    assert "See `LICENSE`" not in model_card(metadata(corpora=("mine", "tess")), 1)


def test_speakers_on_both_sides_are_no_other_speakers() -> None:
    """A split by clips validates on people who were heard in training."""
    split = {**metadata().split, "speakers": {"train": ["nemo-A"], "validation": ["nemo-A"]}}
    assert "Validation speakers" not in model_card(metadata(split=split), 1)


def test_figures_of_few_people_carry_a_warning() -> None:
    """A UAR of 100 % on ten clips of one person, and a temperature that says nothing fits."""
    figures = {"uar": 1.0, "clips": 10, "speakers": 1}
    card = model_card(metadata(metrics={"new_speakers": figures}, temperature=12.8), 1)
    assert "10 clips of 1 person: too few to measure the model's accuracy" in card
    assert "Temperature 12.8: accuracy too low" in card
    assert "too few" not in model_card(metadata(), 1)


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[3] / "exported").glob("*.onnx")), ids=lambda p: p.stem
)
def test_shipped_cards_say_what_their_files_say(path: Path) -> None:
    """A card is made of its file's metadata and nothing else."""
    card = model_card(read_metadata(path), path.stat().st_size)
    assert path.with_suffix(".md").read_text(encoding="utf-8") == card


def test_figures_of_an_adapted_model_are_of_other_speakers_or_said_to_be_optimistic() -> None:
    """The protocol of `emotool adapt` has words of its own, with and without speakers."""
    figures = {"uar": 0.8, "clips": 90, "speakers": 12}
    known = model_card(metadata(metrics={"adapted": figures}), 1)
    assert "each speaker by a head fitted to the others" in known
    unknown = model_card(metadata(metrics={"adapted": {**figures, "unknown_speakers": 90}}), 1)
    assert "**optimistic**" in unknown
