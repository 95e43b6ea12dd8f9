"""The ``emotool`` command: what there is to call, and how it ends.

Commands are loaded when they are called and not before, so that ``emotool --help`` answers at
once. A new command is a function in ``emotool/cli/NAME.py`` and a line in `COMMANDS`.

Exit codes: 0 success, 1 an error that the message explains, 2 wrong options, 3 some clips
failed, 130 interrupted (Ctrl-C), 141 the reader of a pipe has gone, 143 terminated.
"""

import contextlib
import errno
import inspect
import io
import os
import shlex
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
import typer.main

from emotool.cli import ending
from emotool.cli.help import HelpCommand, HelpGroup, Short
from emotool.cli.limits import refusal  # here: there may be no memory left to load it
from emotool.errors import EmotoolError
from emotool.text import printable, redacted
from emotool.version import __version__

__all__ = ["COMMANDS", "app", "main"]

COMMANDS = {
    "classify": ("emotool.cli.classify:classify", "Label every clip with an emotion."),
    "explain": ("emotool.cli.explain:explain", "Plot the evidence for a clip's label."),
    "merge": ("emotool.cli.merge:merge", "Merge the tables of all shards into one."),
    "plan": ("emotool.cli.plan:plan", "List the clips of a bucket in shards."),
    "compare": ("emotool.cli.compare:compare", "Compare two tables of labels."),
    "adapt": ("emotool.cli.adapt:adapt", "Adapt a model to your own recordings."),
    "models": ("emotool.cli.models:models", "List the models, or show a model's card."),
    "doctor": ("emotool.cli.doctor:doctor", "Check that everything works on this machine."),
    "train": ("emotool.cli.train:train", "Train a model on labelled clips."),
    "evaluate": ("emotool.cli.evaluate:evaluate", "Measure a model on labelled clips."),
    "export": ("emotool.cli.export:export", "Convert a training run to an ONNX model."),
    "adopt": ("emotool.cli.adopt:adopt", "Convert a published ONNX model for classify."),
    "data": ("emotool.cli.data:app", "Check labelled clips before training."),
}
"""Each command's place (a function, or a `typer.Typer` with sub-commands) and its short help."""

_PIPE_CLOSED = 141  # 128 + the signal SIGPIPE, as shells say it
_HELP = ["--help", "-h"]
_FULL = {errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT}
# What a wrong option raises; typer exports only this one of its kind.
_UsageError: Any = typer.BadParameter.__mro__[1]


class _LazyGroup(HelpGroup):
    """A group that lists its commands from `COMMANDS` and imports only the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (_, short_help) in COMMANDS.items():
            self.commands[name] = HelpCommand(name, help=short_help)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """Find the command named first in ``args``, this time the real one."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, _load(name) if name in COMMANDS else listed, rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; the two ends that typer would answer in its own way end here."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise SystemExit(_report("interrupted", "", ending.INTERRUPTED)) from error
        except BrokenPipeError as error:
            _forget_stdout()
            raise SystemExit(_PIPE_CLOSED) from error


def _load(name: str) -> Any:
    place, _ = COMMANDS[name]
    module_name, attribute = place.split(":")
    module = import_module(module_name)
    found = getattr(module, attribute)
    if isinstance(found, typer.Typer):
        return typer.main.get_group(found)
    single = typer.Typer(add_completion=False)
    single.command(name, cls=_class_of(name), help=inspect.cleandoc(found.__doc__ or ""))(found)
    command: Any = typer.main.get_command(single)
    command.short = getattr(module, "SHORT", Short())
    return command


def _class_of(name: str) -> type[HelpCommand]:
    if name != "classify":
        return HelpCommand
    from emotool.cli.settings import SettingsCommand

    return SettingsCommand


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"emotool {__version__}")
        raise typer.Exit


app = typer.Typer(name="emotool", cls=_LazyGroup, context_settings={"help_option_names": _HELP})


@app.callback(invoke_without_command=True)
def _emotool(
    ctx: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Label folders of speech with emotions: a table with one row per clip."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(2)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows ``emotool``; the process's own arguments if not given.
    """
    ending.watch()
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding cannot show is escaped, not a crash.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_run(sys.argv[1:] if arguments is None else list(arguments)))


def _run(arguments: list[str]) -> int:
    """Run a command and turn every expected way for it to end into an exit code."""
    try:
        return _call(arguments)
    except Exception as error:
        if not (code := ending.received()):
            if refused := refusal(error):
                return _report(*refused, 1)
            raise  # a mistake of ours, to be seen in full
    # What went wrong was the signal's doing.
    return _report("interrupted", "", code) if code == ending.INTERRUPTED else code


def _call(arguments: list[str]) -> int:
    """Run a command; errors that a user may meet become a message and an exit code."""
    try:
        code = typer.main.get_command(app)(arguments, "emotool", standalone_mode=False)
        if sys.stdout is not None:  # None if it was closed before the start
            sys.stdout.flush()
    except EmotoolError as error:
        if ending.received():
            raise
        return _report(error.message, error.hint, error.exit_code)
    except _UsageError as error:
        # "Value error, " is added by the library that typer uses; it is of no use.
        message = error.format_message().replace(": Value error, ", ": ", 1)
        return _report(message, _usage_hint(error, arguments), 2)
    except (KeyboardInterrupt, typer.Abort):
        return _report("interrupted", "", ending.INTERRUPTED)
    except BrokenPipeError:
        _forget_stdout()
        return _PIPE_CLOSED
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _forget_stdout()
        return _report(f"cannot write to standard output: {error.strerror}", "", 1)
    return code if isinstance(code, int) else 0


def _report(message: str, hint: str, code: int) -> int:
    """Say on stderr what went wrong and what to do, one line each; return the exit code."""
    with contextlib.suppress(OSError):  # that may be closed, too
        print(f"error: {printable(redacted(message))}", file=sys.stderr)  # noqa: T201
        if hint:
            print(f"hint: {printable(redacted(hint))}", file=sys.stderr)  # noqa: T201
    return code


def _usage_hint(error: Any, arguments: Sequence[str]) -> str:
    """Return the command that was probably meant, or where the options are listed."""
    name = next(iter(arguments), "")
    if name not in COMMANDS and os.path.exists(name):  # noqa: PTH110 - any text is a question
        return f"emotool classify {shlex.join(arguments)}"
    command = error.ctx.command_path if getattr(error, "ctx", None) else "emotool"
    return f"{command} --help lists the options"


def _forget_stdout() -> None:
    """Let what is still in the buffer go nowhere, instead of failing again at exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
