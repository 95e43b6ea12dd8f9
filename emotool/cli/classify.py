"""``emotool classify``: folders of speech in, a table of labels out."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from emotool.cli import classify_engine as engines
from emotool.cli import classify_files as files
from emotool.cli import classify_running as running
from emotool.cli import classify_update as updates
from emotool.cli.help import Short
from emotool.errors import OutputError
from emotool.files.remote import read_anonymously
from emotool.model.catalog import DEFAULT_MODEL
from emotool.text import printable
from emotool.writers.base import DELIMITERS, STDOUT, Dialect, Output, WriterOptions
from emotool.writers.registry import check_embeddings

if TYPE_CHECKING:
    from emotool.cli.run_log import RunLog
    from emotool.inputs.manifest import Manifest
    from emotool.inputs.shards import Portion, Shard
    from emotool.run.options import RunOptions
    from emotool.writers.base import Content

__all__ = ["SHORT", "classify"]

SHORT = Short(
    options=(
        "--output",
        "--model",
        "--min-confidence",
        "--segments",
        "--manifest",
        "--embeddings",
        "--excel",
        "--quiet",
    ),
    examples=(
        ("Label a folder of recordings", "emotool classify recordings/ -o labels.csv"),
        ("Spreadsheet, and a page to listen to", "emotool classify clips/ -o a.xlsx -o a.html"),
        ("Six emotions", "emotool classify clips/ --model whisper6"),
        ("Windows of a long recording", "emotool classify talk.mp3 --segments -o talk.csv"),
    ),
)

_PATH_COLUMN = "path"


def classify(
    paths: files.Paths = None,
    from_list: files.FromList = None,
    from_nul: files.FromNul = None,
    manifest: files.Manifest = None,
    column: files.Column = _PATH_COLUMN,
    shard: files.Shard = None,
    plan: files.Plan = None,
    anonymous: files.Anonymous = False,
    output: files.Output = None,
    output_format: files.OutputFormat = None,
    raw: files.Raw = False,
    excel: files.Excel = False,
    delimiter: files.Delimiter = None,
    decimal: files.Decimal = ".",
    embeddings: files.Embeddings = None,
    segments: files.Segments = False,
    merge: files.Merge = False,
    hop: files.Hop = None,
    audacity: files.Audacity = None,
    raven: files.Raven = None,
    praat: files.Praat = None,
    model: running.Model = DEFAULT_MODEL,
    adapt: running.Adapt = False,
    min_confidence: running.MinConfidence = 0.0,
    top: running.Top = 0,
    device: running.Device = running.DeviceName.AUTO,
    workers: running.Workers = 0,
    batch_size: running.BatchSize = None,
    threads: running.Threads = None,
    engine: engines.Engine = engines.EngineName.LOCAL,
    ray_address: engines.RayAddress = None,
    timeout: running.Timeout = 300.0,
    fail_fast: running.FailFast = False,
    max_errors: running.MaxErrors = None,
    restart: running.Restart = False,
    update: updates.Update = False,
    vanished: updates.Vanished = None,
    by_content: running.ByContent = False,
    quiet: running.Quiet = False,
    verbose: running.Verbose = False,
    log_file: running.LogFile = None,
    save_config: running.SaveConfig = None,
) -> None:
    """Label every clip with an emotion: a table with one row per clip.

    Every input gets one row. If it has no label, the column `status` is `silent`, `too_short` or
    `failed`, and `error` gives the reason. The table appears when it is complete. The same
    command resumes an interrupted run.

    Options can also be set, in order of precedence, by environment variables
    (EMOTOOL_BATCH_SIZE=8), in emotool.toml in the current folder (except files to write), and in
    the settings file of your account or the file that EMOTOOL_CONFIG names, under [classify].

    Exit codes: 0 every input has a result; 3 some inputs failed; 1 no input could be used, or
    the table could not be written; 2 wrong options; 130 interrupted; 143 terminated.
    """
    if quiet and verbose:
        raise typer.BadParameter("--quiet and --verbose: give only one of them")
    if fail_fast and max_errors is not None:
        raise typer.BadParameter("--fail-fast is --max-errors 0: give only one of them")
    if anonymous:
        read_anonymously()
    listed = _listed(from_list, from_nul)
    clips = _manifest(manifest, column)
    if clips and clips.notice:
        typer.echo(f"note: {clips.notice}", err=True)
    sources = sum([bool(paths or listed), clips is not None, plan is not None])
    if sources != 1:
        raise typer.BadParameter(
            "--manifest and --plan replace paths: give only one of them"
            if sources
            else "give files or folders to classify, or a list with --from, --manifest or --plan"
        )
    lists = [from_list, from_nul, plan]
    _keep_apart(log_file, save_config, [*(output or ()), embeddings, manifest, *lists])
    run = engines.runner(engine, ray_address, output, alone=update or bool(shard))
    if adapt and (shard or plan or engine == "ray" or update):
        raise typer.BadParameter(
            "--adapt needs all clips in one run, without --shard, --plan, --engine ray or --update"
        )
    part = _shard(shard, output, folders=bool(audacity or raven or praat))
    if plan and part is None:
        raise typer.BadParameter("--plan needs --shard i/n: emotool plan says how many there are")
    output = _part_names(output, part, files.suffix_of(output_format))
    from emotool.run.options import RunOptions
    from emotool.workers.pool import PoolOptions, Reading

    if merge and not segments and not (audacity or raven or praat):
        raise typer.BadParameter("--merge is for --segments, --audacity, --raven or --praat")
    options = RunOptions(
        paths=paths or [],
        listed=listed,
        lists=[path for path in lists if path and path != STDOUT],
        manifest=clips,
        outputs=[
            *_outputs(output, output_format, quiet=quiet),
            *_others({"audacity": audacity, "raven": raven, "praat": praat}, embeddings),
        ],
        model=model,
        device=device.value,
        threads=threads,
        batch_size=batch_size,
        pool=PoolOptions(workers, timeout, Reading(by_content, hop)),
        writer=WriterOptions(raw, _dialect(delimiter, decimal, excel=excel)),
        top=top,
        max_errors=0 if fail_fast else max_errors,
        restart=restart,
        min_confidence=min_confidence,
        adapt=adapt,
        segments=segments,
        merge=merge,
        shard=None if plan else part,
        portion=_planned(plan, part),
    )
    if update or vanished is not None:
        options = updates.updating(options, update=update, vanished=vanished)
    from emotool.cli.run_log import RunLog

    watched = sys.stderr is not None and sys.stderr.isatty()
    each = watched and all(output.target != STDOUT for output in options.outputs)
    log = RunLog(quiet=quiet, verbose=verbose, log_file=log_file, each=each)
    raise typer.Exit(_run(run, options, log, quiet=quiet))


def _keep_apart(log_file: str | None, config: str | None, taken: list[str | None]) -> None:
    """Refuse a log or settings in a file that is read, or that a table will be in."""
    for option, file in (("--save-config", config), ("--log-file", log_file)):
        for other in taken if file else ():
            if other and other != STDOUT and Path(other).resolve() == Path(file or "").resolve():
                raise typer.BadParameter(
                    f"{option}: {printable(other)} is a table or list of this run: name another "
                    "file"
                )
        taken = [*taken, file]


def _listed(lines: str | None, nul: str | None) -> list[str]:
    """Read the list of paths, if there is one."""
    if lines is not None and nul is not None:
        raise typer.BadParameter("--from and --from0: give only one of them")
    source = lines if nul is None else nul
    if source is None:
        return []
    from emotool.inputs.path_list import read_paths

    return read_paths(source, nul=nul is not None)


def _manifest(path: str | None, column: str) -> "Manifest | None":
    """Read the manifest, if there is one."""
    if path is not None:
        from emotool.inputs.manifest import read_manifest

        return read_manifest(path, column)
    if column != _PATH_COLUMN:
        raise typer.BadParameter("--column names a column of a --manifest, and there is none")
    return None


def _shard(text: str | None, targets: list[str] | None, *, folders: bool) -> "Shard | None":
    """Read which shard is meant; what cannot be merged is a wrong option."""
    if text is None:
        return None
    from emotool.inputs.shards import Shard

    if not targets or STDOUT in targets:
        raise typer.BadParameter("--shard: name the part with -o, such as -o part-3.csv")
    if folders:  # names in a folder depend on the clips before
        raise typer.BadParameter("--shard writes tables: leave out --audacity, --raven and --praat")
    try:
        return Shard.parse(text)
    except ValueError as error:
        raise typer.BadParameter(f"--shard: {error}") from error


def _planned(plan: str | None, shard: "Shard | None") -> "Portion | None":
    """Read a shard of a plan, if there is one."""
    if plan is None or shard is None:
        return None
    from emotool.inputs.plan import planned_portion

    return planned_portion(plan, shard)


def _part_names(targets: list[str] | None, shard: "Shard | None", suffix: str) -> list[str] | None:
    """Name the parts that go into folders by their shards."""
    if not targets or shard is None:
        return targets
    name = f"part-{shard.number:05}{suffix or '.parquet'}"
    return [target + name if target.endswith("/") else target for target in targets]


def _others(folders: "dict[Content, str | None]", embeddings: str | None) -> list[Output]:
    """Return the outputs beside the tables; embeddings without a format are a wrong option."""
    outputs = [Output(target, content=program) for program, target in folders.items() if target]
    if embeddings is None:
        return outputs
    try:
        check_embeddings(embeddings)
    except OutputError as error:
        raise typer.BadParameter(f"{error.message}; {error.hint}") from error
    return [*outputs, Output(embeddings, content="embeddings")]


def _dialect(delimiter: str | None, decimal: str, *, excel: bool) -> Dialect:
    """Read the punctuation; what cannot be meant is a wrong option."""
    named = delimiter if delimiter is None else DELIMITERS.get(delimiter.lower(), delimiter)
    try:
        return Dialect(named, decimal, byte_order_mark=excel)
    except ValueError as error:
        raise typer.BadParameter(f"--delimiter, --decimal: {error}") from error


def _outputs(targets: list[str] | None, chosen: str | None, *, quiet: bool) -> list[Output]:
    """Decide where rows go; what cannot be meant is a wrong option."""
    suffix = files.suffix_of(chosen)
    if not targets:
        if sys.stdout is not None and not sys.stdout.isatty():
            return [Output(STDOUT, suffix)]
        target = f"labels{suffix}" if suffix else files.DEFAULT_OUTPUT
        if not quiet:
            typer.echo(f"No -o given; writing {target}", err=True)
        return [Output(target, suffix, default=True)]
    return files.outputs_of(targets, chosen)


def _run(run: engines.Runner, options: "RunOptions", log: "RunLog", *, quiet: bool) -> int:
    """Run, with progress and summary on stderr; return the exit code."""
    from emotool.workers.process import ONE_THREAD

    for name, value in ONE_THREAD.items():
        # Before numpy is loaded: a report's sounds and pictures are made here, beside the workers.
        os.environ.setdefault(name, value)
    with log:
        summary = run(options, log)
        log.record(f"done: {summary.clips:,} clips in {summary.seconds:.1f} s")
    if not quiet:
        from emotool.cli.summary import print_summary

        print_summary(summary)
    for wanted, written in zip(_tables(options), summary.outputs, strict=True):
        if quiet and wanted != written:
            typer.echo(f"note: {wanted} is kept; the table is {written}", err=True)
    if summary.verdict and (quiet or summary.exit_code == 1):
        typer.echo(f"error: {printable(summary.verdict)}", err=True)
    return summary.exit_code


def _tables(options: "RunOptions") -> list[str]:
    return [output.target for output in options.outputs if output.content == "table"]
