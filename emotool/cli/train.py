"""``emotool train``: train a model."""

from pathlib import Path
from typing import Annotated

import typer

from emotool.cli.help import Short
from emotool.cli.label_list import parse_labels

__all__ = ["SHORT", "train"]

SHORT = Short(
    options=(
        "--data",
        "--labels",
        "--speaker-pattern",
        "--split",
        "--epochs",
        "--weights",
        "--seed",
        "--name",
        "--resume",
    ),
    examples=(
        ("Folders named by emotion", "emotool train cnn --data clips/"),
        (
            "Speakers in the file names",
            "emotool train cnn --data clips/ --speaker-pattern '/(.+)_'",
        ),
        ("Six emotions", "emotool train cnn6 --data corpora/"),
        ("Resume after an interruption", "emotool train cnn --data clips/ --resume"),
    ),
)

_DATA, _SPLIT, _RUN, _MACHINE = "Data", "Split", "Run", "Machine"


def train(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE",
            help="A built-in recipe (whisper, cnn, autoencoder, resnet, resnet_ft, whisper6, cnn6, "
            "resnet_ft6) or the path of a recipe's .json. With --resume also a run's folder.",
        ),
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="Folder of labelled clips, or CSV manifest. May be repeated.",
            show_default="$EMOTOOL_CORPUS",
            rich_help_panel=_DATA,
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Labels to distinguish, separated by commas: any that the clips have. Synonyms of "
            "the six emotions (angry, joy, sadness, …) are recognised.",
            show_default="the recipe's",
            rich_help_panel=_DATA,
        ),
    ] = None,
    speaker_pattern: Annotated[
        str | None,
        typer.Option(
            metavar="REGEX",
            help="Regular expression whose first group is the speaker in a clip's path, for "
            "example '/([^/_]+)_' for happy/anna_01.wav.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="speakers|clips|cremad|folds|corpora",
            help="How clips are divided. speakers: each speaker on one side only. clips: at "
            "random, with shared speakers. cremad: CREMA-D's published actors. folds: by --folds. "
            "corpora: one of those in --folds is left out whole.",
            show_default="speakers, or folds with --folds",
            rich_help_panel=_SPLIT,
        ),
    ] = None,
    folds: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="CSV with the columns file, new_speakers_fold and random_clips_fold.",
            rich_help_panel=_SPLIT,
        ),
    ] = None,
    fold: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Fold to test on.", rich_help_panel=_SPLIT),
    ] = None,
    validation_speakers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="CSV with the columns fold and speaker.",
            show_default="validation_speakers.csv beside --folds",
            rich_help_panel=_SPLIT,
        ),
    ] = None,
    validation_share: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            metavar="P",
            help="Share of the clips used for validation, if the split is drawn at random.",
            show_default="0.15",
            rich_help_panel=_SPLIT,
        ),
    ] = None,
    test_share: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            metavar="P",
            help="Share of the clips used for testing, if the split is drawn at random. 0: none.",
            show_default="0.15",
            rich_help_panel=_SPLIT,
        ),
    ] = None,
    no_test: Annotated[
        bool,
        typer.Option(
            "--no-test",
            help="Do not score the test clips. For choosing a recipe by validation speakers first.",
            rich_help_panel=_SPLIT,
        ),
    ] = False,
    split_seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Seed of splits drawn at random.",
            show_default="0",
            rich_help_panel=_SPLIT,
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="WORD|FILE",
            help="Initial weights of pretrained networks: imagenet (resnet, resnet_ft; downloaded "
            "by Keras), whisper-base (whisper, whisper6; downloaded by transformers), none, or a "
            ".npz or .weights.h5 file of them.",
            show_default="imagenet or whisper-base",
            rich_help_panel=_RUN,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the model, its folder of runs and its exported file. Names of built-in "
            "models are refused.",
            show_default="the recipe's",
            rich_help_panel=_RUN,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Seed of weights, order and augmentation. The same seed gives the same model.",
            show_default="0",
            rich_help_panel=_RUN,
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Maximum number of epochs.",
            show_default="the recipe's",
            rich_help_panel=_RUN,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Resume the newest interrupted run with the same options. The result is the same "
            "as without the interruption.",
            rich_help_panel=_RUN,
        ),
    ] = False,
    runs: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="Folder of training runs.", rich_help_panel=_RUN),
    ] = Path("runs"),
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder of cached features, shared by all runs.",
            show_default="$EMOTOOL_CACHE, else the system's cache",
            rich_help_panel=_MACHINE,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Processes that compute features.",
            show_default="one per core",
            rich_help_panel=_MACHINE,
        ),
    ] = None,
) -> None:
    """Train a model on labelled clips and measure it on speakers it was not trained on.

    A run is saved in runs/NAME/TIME: settings, split, history, learning curves, confusion
    matrix, metrics, predictions, checkpoints and parameters. Its folder is printed on stdout.
    `emotool export NAME` converts it to a model file.
    """
    from emotool_training.extras import require_extra

    require_extra("train", "emotool train")

    from emotool_training.export.place import check_name
    from emotool_training.jobs.choices import Choices

    if name is not None:
        check_name(name)
    choices = Choices(
        data=tuple(str(path) for path in data or ()),
        speaker_pattern=speaker_pattern,
        labels=parse_labels(labels),
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
        name=name,
    )
    from emotool.cli import ending
    from emotool_training.cache_folder import default_folder
    from emotool_training.features.cache import FeatureCache
    from emotool_training.folders import make_folder
    from emotool_training.jobs.session import run_training
    from emotool_training.jobs.start import Places

    kept = make_folder(cache or default_folder(), "name another with --cache")
    places = Places(runs, FeatureCache(kept, workers))
    typer.echo(run_training(recipe, choices, places, again=resume, check=ending.raise_again))
