"""Numbers of a model are compared with those of listeners, with intervals over speakers."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from emotool.errors import CorpusError
from emotool.model.classifier import Classifier, load_classifier
from emotool_training.adopting.adopt import Wishes, adopt
from emotool_training.evaluation.concordance import Rated, concordance, score_numbers
from emotool_training.evaluation.ratings import evaluate_ratings, read_ratings, write_ratings
from tests.published_models import Kind, sounds, write_published
from tests.synthesis import write_clip


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """Return a model of arousal and valence."""
    folder = tmp_path_factory.mktemp("model")
    published = write_published(folder / "published", Kind(regression=True))
    return load_classifier(adopt(published, folder, Wishes("mine")).path)


def test_concordance_is_the_correlation_less_what_means_and_ranges_cost() -> None:
    """Lin's definition, written with Pearson's correlation."""
    random = np.random.default_rng(0)
    truth = random.normal(size=200)
    predicted = 0.5 * truth + 0.3 + 0.2 * random.normal(size=200)
    r = stats.pearsonr(truth, predicted).statistic
    wanted = (
        2
        * r
        * truth.std()
        * predicted.std()
        / (truth.var() + predicted.var() + (truth.mean() - predicted.mean()) ** 2)
    )
    assert concordance(truth, predicted) == pytest.approx(wanted)


def test_intervals_are_over_speakers() -> None:
    """More clips of the same few people make no interval narrower."""
    random = np.random.default_rng(1)
    truth = random.normal(size=(20, 1))
    predicted = truth + np.repeat(random.normal(size=4), 5)[:, None]
    speakers = [f"s{place // 5}" for place in range(20)]
    few = score_numbers(Rated(("arousal",), truth, predicted, speakers, ["x"] * 20))
    again = np.tile(truth, (50, 1)), np.tile(predicted, (50, 1))
    many = score_numbers(Rated(("arousal",), *again, speakers * 50, ["x"] * 1_000))
    one, other = (found["dimensions"]["arousal"] for found in (few, many))
    assert one["ccc_low"] < one["ccc"] < one["ccc_high"]
    assert [one[name] for name in ("ccc", "ccc_low", "ccc_high")] == pytest.approx(
        [other[name] for name in ("ccc", "ccc_low", "ccc_high")]
    )


def test_a_manifest_is_evaluated(tmp_path: Path, classifier: Classifier) -> None:
    """Each clip's own numbers agree with themselves; a gap and a missing file are counted."""
    made, _ = sounds(7, 6)
    for i, sound in enumerate(made):
        write_clip(tmp_path / f"{i}.wav", sound)
    blank = "".join(f"{i}.wav,s{i % 3},0,0\n" for i in range(6))
    table = tmp_path / "ratings.csv"
    table.write_text("path,speaker,arousal,valence\n" + blank, "utf-8")
    first = evaluate_ratings(classifier, read_ratings(table, classifier.dimensions))
    rows = [
        f"{clip.key},{clip.speaker},{result.dimensions[0]!r},{result.dimensions[1]!r}"
        for clip, result in first.answered
    ]
    rows[5] = "5.wav,s2,,0.5"
    table.write_text("\n".join(["path,speaker,arousal,valence", *rows, "none.wav,s1,1,1"]), "utf-8")
    found = evaluate_ratings(classifier, read_ratings(table, classifier.dimensions))
    (group,) = found.figures
    arousal = found.figures[group]["dimensions"]["arousal"]
    assert group == "unknown"
    assert (arousal["clips"], arousal["ccc"]) == (5, pytest.approx(1.0))
    assert [one.shown for one in found.unanswered] == ["none.wav"]
    write_ratings(found, classifier, tmp_path / "evaluation")
    lines = (tmp_path / "evaluation" / "predictions.csv").read_text("utf-8").splitlines()
    assert lines[0] == "path,speaker,corpus,true_arousal,true_valence,arousal,valence"
    assert len(lines) == 7


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("path,emotion\na.wav,happy\n", "has the columns path and arousal or valence"),
        ("file,arousal\na.wav,1\n", "has the columns path"),
        ("path,arousal\na.wav,loud\n", "line 2: 'loud' is no number"),
        ("path,arousal\na.wav,inf\n", "line 2: 'inf' is no number"),
    ],
)
def test_a_table_without_numbers_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    """What is missing is named."""
    (tmp_path / "r.csv").write_text(text, "utf-8")
    with pytest.raises(CorpusError, match=reason):
        read_ratings(tmp_path / "r.csv", ("arousal", "valence"))
