"""``emotool export``: from training runs to model files."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from emotool.cli.shared_options import ModelFolder, ReplaceModel

if TYPE_CHECKING:
    from emotool_training.export.export import Exported, Storage
    from emotool_training.runs.folder import Run

__all__ = ["export"]

_STORAGES = ("float32", "float16", "int8")


def export(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME|RUN...",
            help="Names of models, of which the newest finished run is exported, or folders of "
            "runs.",
            show_default="every model in the runs' folder",
        ),
    ] = None,
    output: ModelFolder = Path("exported"),
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the model and of its file, for `emotool classify --model NAME`. Names "
            "of built-in models are refused.",
            show_default="the run's",
        ),
    ] = None,
    replace: ReplaceModel = False,
    storage: Annotated[
        str,
        typer.Option(
            metavar="float32|float16|int8",
            help="Number format of the parameters. float16 halves the file at almost equal "
            "output; int8 quarters it and is faster, but measure its accuracy before use.",
        ),
    ] = "float32",
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder of the training corpora, to compare the exported model with the trained "
            "one on real clips. May be repeated.",
            show_default="where they were in training",
        ),
    ] = None,
    runs: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of training runs.")] = Path(
        "runs"
    ),
    figures: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="Out-of-fold figures by `benchmarks/accuracy.py table`, published with models of "
            "the same recipe. Other models get the figures of their run.",
        ),
    ] = Path("benchmarks/results/accuracy/figures.json"),
) -> None:
    """Convert finished training runs to model files for `classify`.

    The ONNX file contains labels, spectrogram, temperature, figures and licence. It is compared
    with the trained model on real clips and loaded once before it is put in place; a model card
    is written beside it. The paths of the files are printed on stdout.

    A model with a built-in model's name is used by its path (--model exported/cnn.onnx).
    """
    if storage not in _STORAGES:
        raise typer.BadParameter(f"choose one of {', '.join(_STORAGES)}", param_hint="--storage")
    from emotool_training.extras import require_extra

    require_extra("train", "emotool export")
    from emotool_training.export.place import check_free, check_name

    if name is not None:
        check_name(name)
    chosen = _choose(names or [], runs)
    if name is not None and len(chosen) > 1:
        raise typer.BadParameter("name the one run that it is for", param_hint="--name")
    for run in chosen if not replace else ():
        check_free(output / f"{name or run.config['recipe']['name']}.onnx")
    from emotool_training.tf_setup import load_tensorflow

    load_tensorflow("emotool export")
    from emotool_training.export.export import export_model
    from emotool_training.export.parity import real_windows
    from emotool_training.export.source import held_out_clips, source_of

    for run in chosen:
        clips = held_out_clips(run, data or ())
        source = source_of(run, figures)
        if name is not None:
            source = dataclasses.replace(source, name=name)
        windows = real_windows(clips, source.spectrogram)
        done = export_model(source, windows, output, cast("Storage", storage))
        _report(run, done)
        typer.echo(done.path)


def _choose(names: list[str], root: Path) -> "list[Run]":
    """Find the runs to export: those named, else the newest finished one of each model."""
    from emotool.errors import TrainingError
    from emotool_training.recipes.recipe import model_name
    from emotool_training.runs.folder import find_runs, open_run

    if not names:
        models = sorted({path.parent.parent.name for path in root.glob("*/*/metrics.json")})
        if not models:
            raise TrainingError(
                f"there is no finished run in {root}", hint="train one with: emotool train cnn"
            )
        return [find_runs(root, model, finished=True)[0] for model in models]
    chosen = []
    for name in names:
        if (Path(name) / "config.json").is_file():
            run = open_run(Path(name))
            run.metrics()  # raises with a hint if it is not finished
        else:
            model = model_name(name)
            finished = find_runs(root, model, finished=True)
            if not finished:
                unfinished = find_runs(root, model, finished=False)
                hint = unfinished[0].resume_hint() if unfinished else _what_to_name(name, root)
                raise TrainingError(f"there is no finished run of {model!r} in {root}", hint=hint)
            run = finished[0]
        chosen.append(run)
    return chosen


def _what_to_name(name: str, root: Path) -> str:
    """Say what to do about a name that is neither a model with runs nor a run's folder."""
    from emotool_training.recipes.recipe import recipe_names

    inside = sorted(Path(name).glob("*/config.json"))
    if inside:
        return f"name one run's folder, such as {inside[-1].parent}, or the model alone"
    if Path(name).is_dir():
        return "name a run's own folder"
    if name in recipe_names() or Path(name).is_file():
        return f"emotool train {name}"
    models = sorted({path.parent.parent.name for path in root.glob("*/*/metrics.json")})
    return f"models with finished runs: {', '.join(models) or 'none'}"


def _report(run: "Run", done: "Exported") -> None:
    """Say on stderr what was compared and found."""
    new = done.metadata.metric("new_speakers", "uar")
    lines = [
        f"{run.folder} -> {done.path} ({done.size_bytes / 1e6:.1f} MB), card {done.card}",
        f"  parity with Keras: {done.parity}",
        f"  as stored: {done.agreement.labels:.1%} of labels as in float32, probabilities within "
        f"{done.agreement.probability:.1e}",
        f"  temperature {done.metadata.temperature:.3f}; UAR on new speakers "
        f"{'not measured' if new is None else f'{new:.1%}'}",
        *_doubts(done),
        f"  use it with: --model {_way_to(done)}",
    ]
    for line in lines:
        typer.echo(line, err=True)


def _way_to(done: "Exported") -> str:
    """Return what `--model` takes for an exported model: its name, or its path."""
    from emotool.model.catalog import BUILT_IN, ModelEntry, list_models

    name = done.metadata.name
    found = {entry.name: entry for entry in list_models()}.get(name, ModelEntry("", Path()))
    by_name = found.path.exists() and found.path.samefile(done.path)
    if by_name:
        return name
    built_in = f" ({name} alone is the built-in model; --name gives it another)"
    return f"{done.path}{built_in if name in BUILT_IN else ''}"


def _doubts(done: "Exported") -> list[str]:
    """Warn of figures and a temperature that rest on too little."""
    from emotool.model.evidence import temperature_warning, warning

    metadata = done.metadata
    lines = [
        f"  {one}: {text}"
        for one, figures in metadata.metrics.items()
        if (text := warning(figures))
    ]
    if text := temperature_warning(metadata.temperature):
        lines.append(f"  {text}")
    return lines
