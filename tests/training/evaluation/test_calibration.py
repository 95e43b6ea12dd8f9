"""Temperature and calibration error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from emotool_training.evaluation.calibration import (
    apply_temperature,
    fit_temperature,
    negative_log_likelihood,
    reliability,
)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Exponentials of each row, over their sum."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def labelled(temperature: float, clips: int = 20_000) -> tuple[NDArray[np.float64], list[int]]:
    """Probabilities that are `temperature` times too sure, and truths drawn accordingly."""
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(clips, 3)) * 2
    honest = softmax(logits)
    truth = [int(generator.choice(3, p=row)) for row in honest]
    return softmax(logits * temperature), truth


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found(temperature: float) -> None:
    """Predictions made too sure by a factor are given back by that temperature."""
    probabilities, truth = labelled(temperature)
    found = fit_temperature(probabilities, truth)
    assert found == pytest.approx(temperature, rel=0.05)
    assert reliability(apply_temperature(probabilities, found), truth).ece < 0.02


def test_over_confidence_shows_as_calibration_error() -> None:
    """A model three times too sure has a large error, and fitting lowers likelihood's cost."""
    probabilities, truth = labelled(3.0)
    assert reliability(probabilities, truth).ece > 0.1
    softened = apply_temperature(probabilities, fit_temperature(probabilities, truth))
    assert negative_log_likelihood(softened, truth) < negative_log_likelihood(probabilities, truth)


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=6), st.floats(0.1, 10))
def test_temperature_divides_logits_and_keeps_labels(
    logits: list[float], temperature: float
) -> None:
    """Softening probabilities equals dividing the logits they came from."""
    rows = np.array([logits])
    softened = apply_temperature(softmax(rows), temperature)
    np.testing.assert_allclose(softened, softmax(rows / temperature), atol=1e-9)
    assert softened.sum() == pytest.approx(1)


def test_labels_without_error_meet_the_bound() -> None:
    """A perfect set would want temperature 0; the bound keeps it finite."""
    assert fit_temperature([[0.9, 0.1], [0.2, 0.8]], [0, 1]) == pytest.approx(0.05, rel=0.01)


def test_a_few_clips_without_error_are_no_proof_of_certainty() -> None:
    """With doubt, a dozen right answers at .6 to .9 make a model a little surer, not certain."""
    right = np.linspace(0.6, 0.9, 12)
    probabilities, truth = np.stack([right, 1 - right], axis=1), [0] * 12
    softened = apply_temperature(probabilities, fit_temperature(probabilities, truth, doubt=True))
    assert 0.75 < softened[:, 0].mean() < 13 / 14
    assert fit_temperature(probabilities, truth) == pytest.approx(0.05, rel=0.01)


def test_doubt_fades_with_the_number_of_clips() -> None:
    """Twenty thousand clips are believed."""
    probabilities, truth = labelled(3.0)
    plain = fit_temperature(probabilities, truth)
    assert fit_temperature(probabilities, truth, doubt=True) == pytest.approx(plain, rel=0.01)


def test_the_calibration_error_is_the_weighted_gap() -> None:
    """By hand: three clips at 0.9 (two right), one at 0.6 (wrong)."""
    probabilities = [[0.9, 0.1]] * 3 + [[0.6, 0.4]]
    diagram = reliability(probabilities, [0, 0, 1, 1])
    assert diagram.counts.tolist() == [0] * 8 + [1] + [0] * 4 + [3, 0]
    assert diagram.ece == pytest.approx(0.75 * (0.9 - 2 / 3) + 0.25 * 0.6)


def test_certainty_falls_into_the_last_bin_and_bins_close_at_the_top() -> None:
    """A confidence of 1 belongs to the last bin, 10/15 to the tenth."""
    assert reliability([[1.0, 0.0]], [0]).counts.tolist() == [0] * 14 + [1]
    assert reliability([[10 / 15, 5 / 15]], [0]).counts.argmax() == 9


def test_nothing_to_fit_on_is_an_error() -> None:
    """No clips: no temperature, and no calibration error."""
    with pytest.raises(ValueError, match="needs clips"):
        fit_temperature(np.zeros((0, 2)), [])
    assert np.isnan(reliability(np.zeros((0, 2)), []).ece)


def test_a_probability_of_zero_is_survived() -> None:
    """Rounded or saturated probabilities give a large cost, never an infinite one."""
    assert np.isfinite(negative_log_likelihood([[1.0, 0.0]], [1]))
    assert np.isfinite(apply_temperature([[1.0, 0.0]], 2.0)).all()
