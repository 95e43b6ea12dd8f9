"""Updates of weights: the learning rate, groups of layers, the average."""

import numpy as np
import pytest

from emotool_training.loop.optimiser import learning_rate
from emotool_training.recipes.recipe import Recipe

pytest.importorskip("tensorflow", reason="needs the train extra")

import keras
import tensorflow as tf

from emotool_training.loop.optimiser import Optimiser, WeightAverage


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


pytestmark = pytest.mark.training


def model() -> keras.Model:
    """Three layers that only scale, so that every weight has a gradient."""
    inputs = keras.Input((2,))
    x = keras.layers.Dense(2, name="first", kernel_initializer="ones")(inputs)
    x = keras.layers.Dense(2, name="second", kernel_initializer="ones")(x)
    return keras.Model(inputs, keras.layers.Dense(1, name="last", kernel_initializer="ones")(x))


def recipe(**changes: object) -> Recipe:
    """Return a recipe with a constant rate and no decay."""
    plain = {
        "warmup_epochs": 0.0,
        "final_rate": 1.0,
        "learning_rate": 0.1,
        "weight_decay": 0.0,
        "gradient_clip": 0.0,
    }
    return Recipe("r", "cnn", **{**plain, **changes})  # type: ignore[arg-type]


def moved(chosen: Recipe, step: int = 0) -> dict[str, float]:
    """Take a step and return by how much each layer's kernel moved."""
    network = model()
    optimiser = Optimiser(network, chosen)
    before = {layer.name: layer.get_weights()[0] for layer in network.layers[1:]}
    optimiser.set_rate(step, 10)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(network(np.ones((1, 2), np.float32)))
    optimiser.apply(tape.gradient(loss, [weight.value for weight in optimiser.weights]))
    return {
        layer.name: float(np.abs(layer.get_weights()[0] - before[layer.name]).max())
        for layer in network.layers[1:]
    }


def test_all_layers_move_at_the_rate() -> None:
    """Adam's first step is the rate, whatever the gradient."""
    assert moved(recipe()) == pytest.approx({"first": 0.1, "second": 0.1, "last": 0.1}, rel=1e-3)


def test_layers_may_have_shares_of_the_rate() -> None:
    """By the beginning of their names; 0 keeps a layer still."""
    rates = moved(recipe(layer_rates={"fi": 0.5, "sec": 0.0}))
    assert rates == pytest.approx({"first": 0.05, "second": 0.0, "last": 0.1}, rel=1e-3)


def test_layers_may_wait() -> None:
    """Until their epoch has come."""
    chosen = recipe(layer_rates={"first": 0.5}, frozen_epochs={"first": 2})
    assert moved(chosen, step=19)["first"] == 0.0
    assert moved(chosen, step=20)["first"] == pytest.approx(0.05, rel=1e-3)


def test_biases_do_not_decay() -> None:
    """Kernels do."""
    network = model()
    optimiser = Optimiser(network, recipe(weight_decay=0.5))
    network.get_layer("first").bias.assign(np.ones(2))
    optimiser.set_rate(0, 10)
    optimiser.apply([tf.zeros(weight.shape) for weight in optimiser.weights])
    kernel, bias = network.get_layer("first").get_weights()
    assert np.allclose(kernel, 0.95)
    assert np.allclose(bias, 1.0)


def test_a_gradient_is_clipped_as_a_whole() -> None:
    """Adam forgets scale in one step but not over two: a huge gradient does not swamp."""
    network = model()
    optimiser = Optimiser(network, recipe(gradient_clip=1.0))
    optimiser.set_rate(0, 10)
    optimiser.apply([tf.fill(weight.shape, 1e6) for weight in optimiser.weights])
    momenta = [v.numpy() for v in optimiser.state if "velocity" not in v.path]
    assert max(float(np.abs(value).max()) for value in momenta if value.shape) <= 1.0


def test_the_average_follows_the_weights_and_gives_them_back() -> None:
    """Quickly at first, then slowly; while it is in place the weights are kept."""
    network = model()
    average = WeightAverage(network, 0.9)
    for value in (2.0, 3.0):
        network.set_weights([np.full(w.shape, value) for w in network.get_weights()])
        average.update()
    # Shares of what was before: 1/10, then 2/11.
    expected = 2 / 11 * (0.1 * 1.0 + 0.9 * 2.0) + 9 / 11 * 3.0
    with average.in_place():
        assert np.allclose(network.get_weights()[0], expected)
    assert np.allclose(network.get_weights()[0], 3.0)


def test_nothing_is_averaged_where_nothing_is_asked_for() -> None:
    """A decay of 0 costs nothing and changes nothing."""
    network = model()
    average = WeightAverage(network, 0.0)
    average.update()
    with average.in_place():
        assert np.allclose(network.get_weights()[0], 1.0)
    assert len(average.state) == 1
