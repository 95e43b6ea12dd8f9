"""``emotool adapt``: fit a model to your own recordings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emotool.cli.help import Short
from emotool.cli.label_list import parse_labels
from emotool.cli.shared_options import (
    CorrectionsRoot,
    DecodingWorkers,
    ModelFolder,
    ReplaceModel,
    SpeakerPattern,
)
from emotool.text import printable

if TYPE_CHECKING:
    from emotool_training.adapting.inputs import Inputs
    from emotool_training.adapting.outcome import Adapted

__all__ = ["SHORT", "adapt"]

SHORT = Short(
    options=("--base", "--name", "--labels", "--unlabelled", "--speaker-pattern", "--root"),
    examples=(
        ("Learn from corrected labels", "emotool adapt corrections.csv --root recs --name mine"),
        ("Folders named by label", "emotool adapt clips/ --base whisper6 --name mine"),
        ("Without labels", "emotool adapt --unlabelled recordings/ --name mine"),
        ("Use it", "emotool classify recordings/ --model mine"),
    ),
)

_SHOWN = 3


def adapt(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH...",
            help="Labelled clips: corrections.csv of a report, a CSV with the columns path, label "
            "and speaker, folders named by label, or a known corpus. Recordings without labels: "
            "20 or more in a folder.",
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option(help="Name of the new model, for `emotool classify --model NAME`."),
    ] = ...,  # type: ignore[assignment]
    base: Annotated[
        str,
        typer.Option(
            metavar="MODEL", help="Model to adapt: a name that `emotool models` lists, or a path."
        ),
    ] = "whisper6",
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Labels to distinguish, separated by commas. Any words; synonyms of the six "
            "emotions are recognised.",
            show_default="those of the clips; with corrections the model's, too",
        ),
    ] = None,
    unlabelled: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="Recordings to take without labels, whatever their folders are called. May be "
            "repeated.",
        ),
    ] = None,
    root: CorrectionsRoot = None,
    speaker_pattern: SpeakerPattern = None,
    same_speakers: Annotated[
        bool,
        typer.Option(
            "--same-speakers",
            help="The model is for the speakers of the labelled clips alone: fit it to them even "
            "if they are fewer than three.",
        ),
    ] = False,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="temperature",
            help="Only calibrate confidences: fit the temperature, change no label.",
        ),
    ] = None,
    output: ModelFolder = Path("exported"),
    replace: ReplaceModel = False,
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder of cached embeddings.",
            show_default="$EMOTOOL_CACHE, else the system's cache",
        ),
    ] = None,
    workers: DecodingWorkers = 0,
) -> None:
    """Adapt a model to your own recordings, in seconds and without TensorFlow.

    Labelled clips fit a new last layer, which stays near the model's own as long as there are few
    of them; any labels will do. Recordings without labels adapt the model to how they sound as a
    whole. Both may be given. Figures are by cross-validation with speakers kept apart.

    The model file's path is printed on stdout.
    """
    if only not in (None, "temperature"):
        raise typer.BadParameter("takes temperature", param_hint="--only")
    if not paths and not unlabelled:
        raise typer.BadParameter("name clips to adapt to", param_hint="PATH")
    from emotool_training.extras import require_extra

    require_extra("adapt", "emotool adapt")
    from emotool_training.adapting.adapt import adapt as run_adaptation
    from emotool_training.adapting.inputs import Sources, read_inputs
    from emotool_training.adapting.outcome import Order, open_base
    from emotool_training.cache_folder import default_folder
    from emotool_training.export.place import check_free, check_name
    from emotool_training.folders import make_folder
    from emotool_training.progress import progress_bar

    check_name(name)
    if not replace:
        check_free(output / f"{name}.onnx")
    model = open_base(base)
    sources = Sources(
        tuple(paths or ()),
        tuple(unlabelled or ()),
        parse_labels(labels) or (),
        speaker_pattern,
        None if root is None else str(root),
    )
    inputs = read_inputs(sources, model.classifier.labels)
    if only and inputs.index is None:
        raise typer.BadParameter("a temperature needs labelled clips", param_hint="--only")
    _show_inputs(inputs)
    known = set(inputs.labels) <= set(model.classifier.labels)
    if inputs.index is not None and known and not same_speakers and not only:
        _show_caution({clip.speaker for clip in inputs.index.utterances})
    kept = make_folder(cache or default_folder(), "name another with --cache")
    order = Order(name, output, kept, workers, bool(only), same_speakers)
    with progress_bar("embedding") as advance:
        done = run_adaptation(model, inputs, order, lambda what, *counts: advance(*counts))
    _show(done, model.classifier.name)
    typer.echo(done.written.path)


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _show_inputs(inputs: "Inputs") -> None:
    """Say what was found, and under which labels."""
    from collections import Counter

    if inputs.index is not None:
        clips = inputs.index.utterances
        counts = Counter(clip.emotion for clip in clips)
        listed = ", ".join(f"{printable(label)} {counts[label]:,}" for label in inputs.labels)
        _say(f"labelled clips: {listed}")
        if inputs.index.synonyms:
            pairs = (f"{printable(word)} as {to}" for word, to in inputs.index.synonyms.items())
            _say(f"labels read: {', '.join(sorted(pairs))}")
        if skipped := inputs.index.skipped:
            _say(skipped)
        speakers = {clip.speaker for clip in clips}
        if len(speakers - {""}) < 2:
            _say(
                "speakers are unknown or one: figures are too high for other speakers (give a "
                "column speaker or --speaker-pattern)"
            )
        elif "" in speakers:
            _say("some clips have no speaker: each of them counts as a speaker of its own")
    if inputs.recordings:
        _say(f"recordings without labels: {len(inputs.recordings):,}")


def _show_caution(speakers: set[str]) -> None:
    """Say where few speakers leave a model close to its base, and what changes that."""
    from emotool_training.adapting.validation import has_few_speakers

    if has_few_speakers(list(speakers)):
        _say(
            "fewer than three speakers are named: the model stays close to its base "
            "(--same-speakers if it is for these speakers alone)"
        )


def _show(done: "Adapted", base: str) -> None:
    """Say what was done, with figures."""
    facts = done.facts
    for shown, why in list(done.rejected.items())[:_SHOWN]:
        _say(f"skipped: {printable(shown)}: {printable(why)}")
    if (more := len(done.rejected) - _SHOWN) > 0:
        _say(f"skipped: {more:,} more")
    _say(
        f"{printable(base)} -> {done.written.path} ({done.written.size_bytes / 1e6:.1f} MB), card "
        f"{done.written.card}"
    )
    if facts.recordings:
        _say(f"  statistics of {facts.recordings:,} recordings, half-way")
    if done.ece:
        before, after = done.ece
        _say(
            f"  temperature {facts.temperature:.3f}; calibration error on these clips "
            f"{before:.3f} before, {after:.3f} after"
        )
    if facts.kept:
        _say(f"  the labelled clips change nothing: {facts.kept}")
    if facts.has_head:
        _show_figures(facts.figures, done.base_figures)
    _say(f"  use it with: --model {facts.name}")


def _show_figures(figures: Any, before: Any) -> None:
    """Show out-of-fold figures beside the base's on the same clips."""
    from emotool_training.evaluation.headline import headline

    if not figures:
        _say("  too few clips to measure accuracy")
        return
    _say(f"  by cross-validation: {headline(figures)}{_interval(figures)}")
    if before:
        _say(f"  the base on the same clips: UAR {100 * before['uar']:.1f} %")
        if before["uar"] > figures["uar"]:
            _say("  the base is better on these clips, or was trained on them")


def _interval(figures: Any) -> str:
    low, high = figures.get("uar_low"), figures.get("uar_high")
    if low is None or high is None:
        return ""
    return f"; 95 % interval of UAR over speakers {100 * low:.1f}-{100 * high:.1f}"
