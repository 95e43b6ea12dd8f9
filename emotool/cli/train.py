"""``emotool train``: train a model."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["train"]

_DATA, _SPLIT, _RUN, _MACHINE = "Data", "Split", "Run", "Machine"


def train(
    name: Annotated[
        str,
        typer.Argument(
            help="The model: cnn, autoencoder, resnet, resnet_ft, cnn6, resnet_ft6, or a "
            "recipe's .json. With --resume also a run's folder.",
        ),
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="A folder of clips or a CSV manifest; may be repeated.",
            show_default="$EMOTOOL_CORPUS",
            rich_help_panel=_DATA,
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            help="Emotions to tell apart, separated by commas.",
            show_default="the recipe's",
            rich_help_panel=_DATA,
        ),
    ] = None,
    speaker_pattern: Annotated[
        str | None,
        typer.Option(
            help="Regular expression whose first group finds the speaker in the path of clips in "
            "folders named by emotion.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="speakers: nobody is on two sides. clips: at random; not comparable, since "
            "speakers are shared. cremad: CREMA-D's published actors. folds: a CSV's.",
            show_default="speakers, or folds with --folds",
            rich_help_panel=_SPLIT,
        ),
    ] = None,
    folds: Annotated[
        Path | None,
        typer.Option(
            help="A CSV with the columns file, new_speakers_fold and random_clips_fold.",
            rich_help_panel=_SPLIT,
        ),
    ] = None,
    fold: Annotated[
        int | None,
        typer.Option(min=0, help="The fold to test on.", rich_help_panel=_SPLIT),
    ] = None,
    validation_speakers: Annotated[
        Path | None,
        typer.Option(
            help="A CSV with the columns fold and speaker.",
            show_default="validation_speakers.csv beside --folds",
            rich_help_panel=_SPLIT,
        ),
    ] = None,
    validation_share: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Share of the clips to stop training by, where the split is drawn.",
            show_default="0.15",
            rich_help_panel=_SPLIT,
        ),
    ] = None,
    test_share: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Share of the clips to test on, where the split is drawn; 0 tests on none.",
            show_default="0.15",
            rich_help_panel=_SPLIT,
        ),
    ] = None,
    no_test: Annotated[
        bool,
        typer.Option(
            "--no-test",
            help="Leave the test clips alone: choose a recipe by the validation speakers, and "
            "score the test once, at the end.",
            rich_help_panel=_SPLIT,
        ),
    ] = False,
    split_seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Seed of splits that are drawn.",
            show_default="0",
            rich_help_panel=_SPLIT,
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="imagenet|none|FILE",
            help="What resnet and resnet_ft start from: ImageNet's weights, which Keras downloads; "
            "none; or, where there is no network, a .npz or .weights.h5 file of ResNet50's.",
            show_default="imagenet",
            rich_help_panel=_RUN,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Seed of weights, order and augmentation: the same seed gives the same model.",
            show_default="0",
            rich_help_panel=_RUN,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Epochs at most.",
            show_default="the recipe's",
            rich_help_panel=_RUN,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with an interrupted run, the newest that agrees with the other options; "
            "it ends as if it had not been interrupted.",
            rich_help_panel=_RUN,
        ),
    ] = False,
    runs: Annotated[
        Path, typer.Option(help="The folder that runs are kept in.", rich_help_panel=_RUN)
    ] = Path("runs"),
    cache: Annotated[
        Path | None,
        typer.Option(
            help="The folder that features are kept in, for all runs.",
            show_default="$EMOTOOL_CACHE, else the system's cache",
            rich_help_panel=_MACHINE,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes that compute features.",
            show_default="one per core",
            rich_help_panel=_MACHINE,
        ),
    ] = None,
) -> None:
    """Train a model on labelled clips and judge it on speakers it has not heard.

    The run is kept in runs/NAME/TIME: settings, split, history, learning curves, confusion
    matrix, metrics, predictions, checkpoints, weights. Its folder is printed on stdout.
    emotool export NAME makes a model file of it.
    """
    from emotool_training.extras import require_train_extra

    require_train_extra("emotool train")

    from emotool_training.jobs.choices import Choices

    choices = Choices(
        data=tuple(str(path) for path in data or ()),
        speaker_pattern=speaker_pattern,
        labels=_parse_labels(labels),
        epochs=epochs,
        seed=seed,
        split=split,
        split_seed=split_seed,
        folds=str(folds) if folds else None,
        fold=fold,
        validation_speakers=str(validation_speakers) if validation_speakers else None,
        validation_share=validation_share,
        test_share=test_share,
        withhold_test=no_test or None,
        weights=weights,
    )
    from emotool.cli import ending
    from emotool_training.features.cache import FeatureCache, default_folder
    from emotool_training.jobs.session import run_training
    from emotool_training.jobs.start import Places

    places = Places(runs, FeatureCache(cache or default_folder(), workers))
    typer.echo(run_training(name, choices, places, again=resume, check=ending.raise_again))


def _parse_labels(text: str | None) -> tuple[str, ...] | None:
    """Part ``happy,sad``."""
    if text is None:
        return None
    from emotool_training.corpora import EMOTIONS

    labels = tuple(part.strip() for part in text.split(","))
    unknown = [label for label in labels if label not in EMOTIONS]
    if unknown:
        raise typer.BadParameter(
            f"{unknown[0]!r} is no emotion known here ({', '.join(EMOTIONS)})",
            param_hint="--labels",
        )
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise typer.BadParameter("name two or more, each once", param_hint="--labels")
    return labels
