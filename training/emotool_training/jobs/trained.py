"""A trained model back from its run."""

from typing import Any

from emotool.errors import TrainingError
from emotool.files.validation import validate
from emotool_training.recipes.recipe import Recipe
from emotool_training.runs.folder import Run
from emotool_training.tf_setup import precision

__all__ = ["load_model", "recipe_of"]


def recipe_of(run: Run) -> Recipe:
    """Return the recipe a run was started with; `TrainingError` if its config is damaged."""
    source = f"{run.folder / 'config.json'}: recipe"
    return validate(Recipe, run.config.get("recipe"), source, TrainingError)


def load_model(run: Run) -> Any:
    """Build a run's model in float32 and give it the weights of the best epoch.

    Parameters
    ----------
    run : Run
        Finished, or at least with a first epoch behind it.

    Returns
    -------
    keras.Model
        See `emotool_training.architectures` for its inputs and outputs.

    Raises
    ------
    TrainingError
        If the weights are missing or damaged.
    """
    from emotool_training.network.network import build_network

    with precision("float32"):
        model = build_network(recipe_of(run)).whole
    run.stage().load_best(model)
    return model
