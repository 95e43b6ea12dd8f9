"""A recipe: everything about a training run but the data, frozen, one committed file a model.

The files are ``training/recipes/NAME.json``; what one leaves out has the defaults below. A run
keeps its recipe in ``config.json``, so that it can be resumed and identified.
"""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from emotool.errors import TrainingError
from emotool.features.spec import SpectrogramSpec
from emotool.files.validation import parse_json, validate
from emotool.model.metadata import NAME
from emotool_training.augmentation.settings import Augmentation, Variants
from emotool_training.recipes.settings import (
    CachedFeatureMaps,
    Count,
    EnsembleMember,
    FineTuning,
    HeadStage,
    LinearHead,
    ReconstructionStage,
)

__all__ = ["Recipe", "load_recipe", "model_name", "recipe_names"]

FOLDER = Path(__file__).parent


_OPTIONAL = ("kept", "head_first", "linear_head", "fine_tuning", "reconstruct", "companion")
"""Parts that a recipe may have; those it does not have are left out of `Recipe.to_dict`."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Hyper-parameters of one model.

    Attributes
    ----------
    name : str
        The model's name: of the recipe's file, the runs' folder and the exported file.
    architecture : str
        A module of `emotool_training.architectures`.
    labels : tuple of str
        The labels.
    model : dict
        The architecture's own settings.
    spectrogram : SpectrogramSpec
        What the model is fed.
    epochs, patience : int
        Epochs at most, and epochs without a better validation score after which training stops.
    first_judged : int
        The first epoch, from 1, whose weights may be the best: what few steps give is luck.
    batch_size : int
        Windows in a batch.
    epoch_clips : int or None
        Clips drawn in an epoch; None for as many as there are training clips.
    corpus_balance : float
        How evenly clips are drawn from the corpora: 0 by their sizes, 1 evenly, in between by
        sizes to the power of 1 less this.
    label_balance : float
        The same for the labels within each corpus.
    learning_rate, final_rate : float
        Highest rate, and the rate at the end of the cosine as a share of it.
    warmup_epochs : float
        Epochs over which the rate rises from 0.
    layer_rates : dict of str to float
        Share of the learning rate for layers whose name begins so; the longest beginning
        counts. 0 keeps a layer still, its normalisation statistics included.
    frozen_epochs : dict of str to int
        Epochs for which the layers of an entry of ``layer_rates`` do not learn yet.
    weight_decay : float
        Of AdamW; biases and normalisation weights are spared.
    gradient_clip : float
        Largest global norm of the gradient; 0 for no limit.
    label_smoothing : float
        Share of each target spread evenly over all labels.
    average_decay : float
        Decay per step of the exponential average of weights that is validated and kept; 0 for
        the weights themselves.
    precision : str
        ``"float32"``, ``"bfloat16"`` (mixed), or ``"auto"``: bfloat16 on a GPU that has it.
    variants : Variants
    augmentation : Augmentation
    kept : CachedFeatureMaps or None
        Feature maps that are cached; nothing if None.
    head_first : HeadStage or None
        A stage for the head alone, before all learns.
    linear_head : LinearHead or None
        A linear head that is fitted in one step, instead of all epochs.
    fine_tuning : FineTuning or None
        Epochs before that, for the layers between the cached feature maps and the linear head.
    reconstruct : ReconstructionStage or None
        A stage before that, for architectures with a decoder.
    companion : EnsembleMember or None
        The second network of an ensemble.
    """

    name: str
    architecture: str
    labels: tuple[str, ...] = ("happy", "sad")
    model: dict[str, Any] = field(default_factory=dict)
    spectrogram: SpectrogramSpec = SpectrogramSpec()
    epochs: Count = 40
    patience: Count = 12
    first_judged: int = 1
    batch_size: Count = 32
    epoch_clips: int | None = None
    corpus_balance: float = 0.5
    label_balance: float = 1.0
    learning_rate: float = 1e-3
    final_rate: float = 0.01
    warmup_epochs: float = 2.0
    layer_rates: dict[str, float] = field(default_factory=dict)
    frozen_epochs: dict[str, int] = field(default_factory=dict)
    weight_decay: float = 0.01
    gradient_clip: float = 5.0
    label_smoothing: float = 0.1
    average_decay: float = 0.99
    precision: Literal["float32", "bfloat16", "auto"] = "auto"
    variants: Variants = Variants()
    augmentation: Augmentation = Augmentation()
    kept: CachedFeatureMaps | None = None
    head_first: HeadStage | None = None
    linear_head: LinearHead | None = None
    fine_tuning: FineTuning | None = None
    reconstruct: ReconstructionStage | None = None
    companion: EnsembleMember | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold and `from_dict` reads back.

        Stages and ensemble members that a recipe does not have are left out: its digest is then
        that of a recipe from before they existed.
        """
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        plain["spectrogram"] = self.spectrogram.to_dict()
        plain["variants"] = dataclasses.asdict(self.variants)
        plain["augmentation"] = dataclasses.asdict(self.augmentation)
        for name in _OPTIONAL:
            part = getattr(self, name)
            if part is None:
                del plain[name]
            else:
                plain[name] = dataclasses.asdict(part)
        return plain


def recipe_names() -> tuple[str, ...]:
    """Name the recipes there are, sorted.

    Examples
    --------
    >>> "cnn" in recipe_names()
    True
    """
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def load_recipe(name: str) -> Recipe:
    """Load a recipe.

    Parameters
    ----------
    name : str
        A name of `recipe_names`, or the path of a JSON file.

    Returns
    -------
    Recipe

    Raises
    ------
    TrainingError
        If there is none of that name, what it holds is no recipe or no model's name, or parts
        of it contradict each other.
    """
    path = Path(name) if name.endswith(".json") else FOLDER / f"{name}.json"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        known = ", ".join(recipe_names())
        raise TrainingError(
            f"there is no recipe for {name!r}", hint=f"recipes: {known}, or the path of a .json"
        ) from None
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path}: cannot be read as a recipe: {error}") from error
    source = f"recipe {path.name}"
    values = parse_json(text, source, TrainingError)
    if not isinstance(values, dict):
        raise TrainingError(f"{source}: expected an object of settings, got {values!r:.80}")
    named = {"name": path.stem, **values}
    if isinstance(named["name"], str) and not NAME.fullmatch(named["name"]):
        raise TrainingError(
            f"{source}: {named['name']!r} is not a valid model name",
            hint='give the file another, or the recipe a "name": at most 64 of A-Z a-z 0-9 . _ - '
            "that begin with a letter or digit",
        )
    recipe = validate(Recipe, named, source, TrainingError)
    if why := _contradiction(recipe):
        raise TrainingError(f"{source}: {why}")
    return recipe


def _contradiction(recipe: Recipe) -> str:
    """Say which parts of a recipe contradict each other; empty if none do."""
    if recipe.fine_tuning is not None:
        for name in ("linear_head", "kept"):
            if getattr(recipe, name) is None:
                return f"fine_tuning needs {name}"
    if recipe.linear_head is not None:
        for name in ("head_first", "reconstruct", "companion"):
            if getattr(recipe, name) is not None:
                return f"linear_head excludes {name}"
        if recipe.kept is not None and recipe.fine_tuning is None:
            return "linear_head with kept needs fine_tuning"
    return ""


def model_name(name: str) -> str:
    """Name the model that a word stands for: a recipe's file says it; others stay.

    Runs are kept in a folder of that name.
    """
    is_file = name.endswith(".json") and Path(name).is_file()
    return load_recipe(name).name if is_file else name
