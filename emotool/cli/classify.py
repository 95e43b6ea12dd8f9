"""``emotool classify``: folders of speech in, a table of labels out."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from emotool.catalog import DEFAULT_MODEL
from emotool.cli.completion import model_names
from emotool.errors import OutputError
from emotool.results import STDOUT, WRITERS, Dialect, WriterOptions, check_target
from emotool.results.dialect import DELIMITERS
from emotool.text import printable

if TYPE_CHECKING:
    from emotool.batch import Output, RunOptions
    from emotool.cli.run_log import RunLog
    from emotool.manifest import Manifest

__all__ = ["classify"]

DEFAULT_OUTPUT = "labels.csv"
_PATH_COLUMN = "path"
_FORMATS = [suffix.removeprefix(".") for suffix in WRITERS]


class _Device(StrEnum):
    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


_INPUT = "What is read"
_OUTPUT = "What is written"
_PARTS = "Parts of long recordings"
_MODEL = "Model"
_TROUBLE = "When something goes wrong"
_SPEED = "Speed"
_TELLING = "What is told, and settings"


def classify(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATHS...",
            help="Files, folders (searched at every depth) and patterns like 'talks/*.mp3'.",
            show_default=False,
        ),
    ] = None,
    from_list: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FILE",
            rich_help_panel=_INPUT,
            help="Read more paths from FILE, one a line ('-': standard input): use it when there "
            "are too many for a command line, or another program chooses them.",
        ),
    ] = None,
    from_nul: Annotated[
        str | None,
        typer.Option(
            "--from0",
            metavar="FILE",
            rich_help_panel=_INPUT,
            help="The same for paths that end in NUL, so that names may hold line breaks: find … "
            "-print0 | emotool classify --from0 -",
        ),
    ] = None,
    manifest: Annotated[
        str | None,
        typer.Option(
            "--manifest",
            metavar="FILE",
            rich_help_panel=_INPUT,
            help="Instead of paths, a CSV file with one clip a row, relative to its folder: use it "
            "when you have a table of your clips, whose columns the results shall keep.",
        ),
    ] = None,
    column: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            rich_help_panel=_INPUT,
            help="The manifest's column that names the files: use it when that is not 'path'.",
        ),
    ] = _PATH_COLUMN,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            rich_help_panel=_OUTPUT,
            help="Where the table goes; its suffix chooses the format "
            f"({', '.join(WRITERS)}). May be repeated. '-' is standard output. Without it: "
            f"standard output if that is piped, else {DEFAULT_OUTPUT} in the current folder.",
        ),
    ] = None,
    output_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            rich_help_panel=_OUTPUT,
            help=f"Write this format ({', '.join(_FORMATS)}), whatever the suffixes say; so also "
            "to '-o -'.",
        ),
    ] = None,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            rich_help_panel=_OUTPUT,
            help="Leave cells as they are that a spreadsheet would run as a formula. Without it "
            "they get a leading apostrophe, since file names can come from strangers.",
        ),
    ] = False,
    excel: Annotated[
        bool,
        typer.Option(
            "--excel",
            rich_help_panel=_OUTPUT,
            help="Mark CSV and TSV as UTF-8 the way Excel wants it (byte-order mark): use it when "
            "names with accents arrive garbled.",
        ),
    ] = False,
    delimiter: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(DELIMITERS),
            rich_help_panel=_OUTPUT,
            show_default="comma; semicolon with --decimal ,",
            help="What parts the cells of a CSV: use it when a spreadsheet shows each row in one "
            "cell. The sign itself (';') will do too.",
        ),
    ] = None,
    decimal: Annotated[
        str,
        typer.Option(
            metavar=".|,",
            rich_help_panel=_OUTPUT,
            help="Decimal mark of CSV and TSV: use ',' where a spreadsheet of your language takes "
            "0.75 for text or a date.",
        ),
    ] = ".",
    embeddings: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=_OUTPUT,
            help="Write the numbers too from which the model tells its labels, a row for each row "
            "of the table, as .npz (NumPy) or .parquet: use it to group clips, or for statistics "
            "of your own.",
        ),
    ] = None,
    segments: Annotated[
        bool,
        typer.Option(
            "--segments",
            rich_help_panel=_PARTS,
            help="Write a row for each window, with its start and end, instead of one for each "
            "clip: use it for recordings in which the mood changes.",
        ),
    ] = False,
    merge: Annotated[
        bool,
        typer.Option(
            "--merge",
            rich_help_panel=_PARTS,
            help="Join neighbouring windows of one label: use it with --segments or annotations "
            "for few long stretches rather than many short ones.",
        ),
    ] = False,
    hop: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            metavar="SECONDS",
            rich_help_panel=_PARTS,
            show_default="the model's window: no overlap",
            help="Seconds from one window's start to the next's: use less than the window to see "
            "more finely when a label changes. It costs time in proportion.",
        ),
    ] = None,
    audacity: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            rich_help_panel=_PARTS,
            help="Write a label track for each clip into FOLDER, to be imported in Audacity.",
        ),
    ] = None,
    raven: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            rich_help_panel=_PARTS,
            help="Write a selection table for each clip into FOLDER, to be opened in Raven.",
        ),
    ] = None,
    praat: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            rich_help_panel=_PARTS,
            help="Write a TextGrid for each clip into FOLDER, to be opened in Praat or ELAN.",
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            autocompletion=model_names,
            rich_help_panel=_MODEL,
            help="A name that `emotool models` lists, or the path of an .onnx file.",
        ),
    ] = DEFAULT_MODEL,
    min_confidence: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            metavar="P",
            rich_help_panel=_MODEL,
            show_default="0: every clip is labelled",
            help="Label a clip 'uncertain' whose most probable label is less likely than this: use "
            "it when a wrong label costs more than none, and listen to those clips.",
        ),
    ] = 0.0,
    top: Annotated[
        int,
        typer.Option(
            min=0,
            max=1000,
            metavar="N",
            rich_help_panel=_MODEL,
            show_default="0: no such columns",
            help="Add columns with the N most probable labels: use it for models with many "
            "labels, to see what else a clip may be.",
        ),
    ] = 0,
    device: Annotated[
        _Device,
        typer.Option(
            rich_help_panel=_MODEL,
            help="Where the model runs. 'auto' takes a GPU if there is one; 'cuda' fails rather "
            "than falling back to the CPU.",
        ),
    ] = _Device.AUTO,
    workers: Annotated[
        int,
        typer.Option(
            min=0,
            rich_help_panel=_SPEED,
            help="Processes that read clips; 0 takes one per processor core.",
        ),
    ] = 0,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=4096,
            rich_help_panel=_SPEED,
            show_default="chosen for the model",
            help="Spectrograms given to the model at once. Labels do not depend on it.",
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1024,
            rich_help_panel=_SPEED,
            show_default="one per core",
            help="Threads the model uses on the CPU.",
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            rich_help_panel=_TROUBLE,
            help="Give up a file whose reading takes longer than this: it becomes a failed row.",
        ),
    ] = 300.0,
    fail_fast: Annotated[
        bool,
        typer.Option(
            "--fail-fast",
            rich_help_panel=_TROUBLE,
            help="Stop at the first file that fails (exit code 1, nothing written).",
        ),
    ] = False,
    max_errors: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            rich_help_panel=_TROUBLE,
            show_default="no limit",
            help="Stop when more than N files have failed.",
        ),
    ] = None,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart",
            rich_help_panel=_TROUBLE,
            help="Begin anew instead of going on where an interrupted run stopped.",
        ),
    ] = False,
    by_content: Annotated[
        bool,
        typer.Option(
            "--by-content",
            rich_help_panel=_TROUBLE,
            help="When going on, know files by their bytes (slower) instead of by path, size and "
            "time: also those that were moved or copied meanwhile.",
        ),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            "-q",
            rich_help_panel=_TELLING,
            help="No progress bar and no summary; errors are still told.",
        ),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            rich_help_panel=_TELLING,
            help="Tell which settings are used and where they come from, and of each clip without "
            "a label as it happens.",
        ),
    ] = False,
    log_file: Annotated[
        str | None,
        typer.Option(
            "--log-file",
            metavar="FILE",
            rich_help_panel=_TELLING,
            help="Add lines with times to FILE: progress, clips without a label, how it ended. "
            "For runs that nobody watches; --quiet does not silence it.",
        ),
    ] = None,
    save_config: Annotated[
        str | None,  # used by SettingsCommand, which knows where each setting comes from
        typer.Option(
            "--save-config",
            metavar="FILE",
            rich_help_panel=_TELLING,
            help="Write the settings in effect to FILE, then run. As emotool.toml in the current "
            "folder, or in your own settings folder, later runs use it.",
        ),
    ] = None,
) -> None:
    r"""Label every clip with an emotion: one row each, in a table.

    Every input gets one row, also when it cannot be used: the column `status` is then
    `silent`, `too_short` or `failed`, and `error` says why. Tables appear when they are
    complete. A run that was interrupted goes on where it was when the same command is given
    again.

    Options can also be set in the environment (EMOTOOL_BATCH_SIZE=8), in emotool.toml in the
    current folder, and in your own settings folder, below a line \[classify]; the first of these
    goes before the next, the command line before all.

    Exit code 0: every input has a result. 3: some inputs failed. 1: nothing could be used, or
    the table could not be written. 2: wrong options. 130: interrupted. 143: terminated.
    """
    if quiet and verbose:
        raise typer.BadParameter("--quiet and --verbose: give only one of them")
    if fail_fast and max_errors is not None:
        raise typer.BadParameter("--fail-fast is --max-errors 0: give only one of them")
    listed = _listed(from_list, from_nul)
    clips = _manifest(manifest, column)
    if bool(paths or listed) == (clips is not None):
        raise typer.BadParameter(
            "--manifest comes instead of paths: give only one of them"
            if clips
            else "name files or folders to be classified, or a list with --from or --manifest"
        )
    from emotool.annotations import Annotations
    from emotool.batch import RunOptions
    from emotool.pool import PoolOptions

    folders = {"audacity": audacity, "raven": raven, "praat": praat}
    annotations = [Annotations(name, folder) for name, folder in folders.items() if folder]
    if merge and not segments and not annotations:
        raise typer.BadParameter("--merge is for --segments, --audacity, --raven or --praat")
    options = RunOptions(
        paths=paths or [],
        listed=listed,
        manifest=clips,
        outputs=_outputs(output, output_format, quiet=quiet),
        model=model,
        device=device.value,
        threads=threads,
        batch_size=batch_size,
        pool=PoolOptions(workers=workers, timeout_s=timeout, by_content=by_content, hop_s=hop),
        writer=WriterOptions(raw, dialect=_dialect(delimiter, decimal, excel=excel), top=top),
        max_errors=0 if fail_fast else max_errors,
        restart=restart,
        min_confidence=min_confidence,
        segments=segments,
        merge=merge,
        annotations=annotations,
        embeddings=_embeddings(embeddings),
    )
    from emotool.cli.run_log import RunLog

    log = RunLog(quiet=quiet, verbose=verbose, log_file=log_file)
    raise typer.Exit(_run(options, log, quiet=quiet))


def _listed(lines: str | None, nul: str | None) -> list[str]:
    """Read the list of paths, if there is one."""
    if lines is not None and nul is not None:
        raise typer.BadParameter("--from and --from0: give only one of them")
    source = lines if nul is None else nul
    if source is None:
        return []
    from emotool.path_list import read_paths

    return read_paths(source, nul=nul is not None)


def _manifest(path: str | None, column: str) -> "Manifest | None":
    """Read the manifest, if there is one."""
    if path is not None:
        from emotool.manifest import read_manifest

        return read_manifest(path, column)
    if column != _PATH_COLUMN:
        raise typer.BadParameter("--column names a column of a --manifest, and there is none")
    return None


def _embeddings(target: str | None) -> str | None:
    """Check that embeddings have a format; what has none is a wrong option."""
    if target is not None:
        from emotool.results.embeddings import check_embeddings

        try:
            check_embeddings(target)
        except OutputError as error:
            raise typer.BadParameter(f"{error.message}; {error.hint}") from error
    return target


def _dialect(delimiter: str | None, decimal: str, *, excel: bool) -> Dialect:
    """Read the punctuation; what cannot be meant is a wrong option."""
    named = delimiter if delimiter is None else DELIMITERS.get(delimiter.lower(), delimiter)
    try:
        return Dialect(named, decimal, byte_order_mark=excel)
    except ValueError as error:
        raise typer.BadParameter(f"--delimiter, --decimal: {error}") from error


def _outputs(targets: list[str] | None, chosen: str | None, *, quiet: bool) -> "list[Output]":
    """Decide where rows go; what cannot be meant is a wrong option."""
    from emotool.batch import Output

    if chosen is not None and chosen.lower() not in _FORMATS:
        raise typer.BadParameter(f"--format takes one of: {', '.join(_FORMATS)}")
    suffix = "" if chosen is None else f".{chosen.lower()}"
    if not targets:
        targets = [STDOUT]
        if sys.stdout is None or sys.stdout.isatty():
            targets = [f"labels{suffix}" if suffix else DEFAULT_OUTPUT]
            if not quiet:
                typer.echo(f"No -o FILE given: the table goes to {targets[0]}.", err=True)
    for place, target in enumerate(targets):
        try:
            check_target(target, suffix)
        except OutputError as error:
            raise typer.BadParameter(f"{error.message}; {error.hint}") from error
        if target in targets[:place]:
            raise typer.BadParameter(f"-o {target} is given twice")
    return [Output(target, suffix) for target in targets]


def _run(options: "RunOptions", log: "RunLog", *, quiet: bool) -> int:
    """Run, with progress and summary on stderr; return the exit code."""
    from emotool.batch import run

    with log:
        summary = run(options, log)
        log.record(f"done: {summary.clips:,} clips in {summary.seconds:.1f} s")
    if not quiet:
        from emotool.summary import print_summary

        print_summary(summary)
    if summary.verdict and (quiet or summary.exit_code == 1):
        typer.echo(f"error: {printable(summary.verdict)}", err=True)
    return summary.exit_code
