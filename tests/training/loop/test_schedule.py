"""The learning rate over a run."""

from emotool_training.loop.optimiser import learning_rate
from emotool_training.recipes.recipe import Recipe


def test_the_rate_rises_then_falls_to_its_last_share() -> None:
    """Linear from nearly 0 to the highest, then down along a cosine, never to 0."""
    recipe = Recipe("r", "cnn", epochs=20, warmup_epochs=2, learning_rate=0.1, final_rate=0.1)
    rates = [learning_rate(recipe, step, 10) for step in range(200)]
    assert rates[0] == 0.1 / 20
    assert max(rates) == 0.1 == rates[20]
    assert rates[:20] == sorted(rates[:20])
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert 0.01 < rates[-1] < 0.0101


def test_without_a_rise_the_first_step_has_the_highest_rate() -> None:
    """A warm-up of 0 epochs divides by nothing."""
    recipe = Recipe("r", "cnn", epochs=2, warmup_epochs=0, learning_rate=1.0)
    assert learning_rate(recipe, 0, 1) == 1.0
