"""Help in two lengths: ``-h`` fits a screen, ``--help`` lists everything.

A command's module may hold a `Short`: the options used most, and examples. Its docstring is the
text of ``--help``; the first paragraph stands in both.
"""

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from typer.core import TyperCommand, TyperGroup

__all__ = ["HelpCommand", "HelpGroup", "Short", "asks_for_help"]

_NAMES: Final = 27  # columns for the names of options
_MOST_COLUMNS: Final = 100  # longer lines are hard to read
_FEWEST_COLUMNS: Final = 40
_ALL: Final = "--help"
_SHORT: Final = "-h"
_OPTIONS: Final = "Options"


@dataclass(frozen=True, slots=True)
class Short:
    """What ``-h`` shows of a command beside its first paragraph.

    Parameters
    ----------
    options : tuple of str
        Long names of the options used most, in the order in which they are shown.
    examples : tuple of (str, str)
        What an example does, and its command line.
    """

    options: tuple[str, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Return whether the arguments of a command ask for help in any length."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return not {_ALL, _SHORT}.isdisjoint(own)


class _TwoLengths:
    """Mixin of commands and groups: help in the length that was asked for."""

    short: Short = Short()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Note which length is asked for, and parse."""
        ctx.meta["emotool.complete_help"] = _ALL in args
        return super().parse_args(ctx, args)  # type: ignore[misc, no-any-return]

    def get_help(self, ctx: Any) -> str:
        """Return the text of ``-h`` or ``--help``."""
        complete = ctx.meta.get("emotool.complete_help", True)
        return "\n".join(_complete(self, ctx) if complete else _one_screen(self, ctx))


class HelpCommand(_TwoLengths, TyperCommand):
    """A command with help in two lengths."""


class HelpGroup(_TwoLengths, TyperGroup):
    """A group of commands with help in two lengths."""


def _one_screen(command: Any, ctx: Any) -> Iterator[str]:
    """Yield the lines of ``-h``: what it does, the options used most, examples."""
    yield from _head(command, ctx, (command.help or "").split("\n\n")[:1])
    yield from _commands(command, ctx)
    by_name = {name: param for param in _options(command, ctx) for name in param.opts}
    shown = [by_name[name] for name in command.short.options]
    more = len(_options(command, ctx)) > len(shown) + 1  # beside help itself
    if more and shown:
        yield from _section("Options used most", [_row(param, brief=True) for param in shown])
    elif not shown:
        rows = [_row(param, brief=True) for param in _options(command, ctx)]
        yield from _section(_OPTIONS, rows)
    yield from _examples(command.short)
    if more and shown:
        yield f"\nAll options, with details: {ctx.command_path} --help"


def _complete(command: Any, ctx: Any) -> Iterator[str]:
    """Yield the lines of ``--help``: all paragraphs, arguments and options in groups."""
    yield from _head(command, ctx, (command.help or "").split("\n\n"))
    yield from _commands(command, ctx)
    yield from _section("Arguments", [_row(param) for param in _arguments(command)])
    groups: dict[str, list[Any]] = {}
    *params, asking = _options(command, ctx)
    for param in params:
        groups.setdefault(getattr(param, "rich_help_panel", None) or _OPTIONS, []).append(param)
    groups.setdefault(_OPTIONS if set(groups) <= {_OPTIONS} else "Help", []).append(asking)
    for title, listed in groups.items():
        yield from _section(title, [_row(param) for param in listed])
    yield from _examples(command.short)


def _head(command: Any, ctx: Any, paragraphs: Sequence[str]) -> Iterator[str]:
    """Yield the usage and paragraphs, the first of which describes the command."""
    first, *others = [paragraph.replace("\\[", "[") for paragraph in paragraphs]
    yield from _wrapped(first)
    pieces = " ".join(["[OPTIONS]", *map(_usage, _arguments(command))])
    if isinstance(command, TyperGroup):
        pieces += " COMMAND [ARGS]..."
    yield ""
    yield from textwrap.wrap(
        f"Usage: {ctx.command_path} {pieces}", _width(), subsequent_indent=" " * 8
    )
    for paragraph in others:
        yield ""
        yield from _wrapped(paragraph)


def _commands(command: Any, ctx: Any) -> Iterator[str]:
    """Yield a section with a group's commands."""
    if isinstance(command, TyperGroup):
        found = ((name, command.get_command(ctx, name)) for name in command.list_commands(ctx))
        rows = [(f"  {name}", each.get_short_help_str(200)) for name, each in found if each]
        yield from _section("Commands", rows)


def _examples(short: Short) -> Iterator[str]:
    """Yield a section with examples: what each does, and its command line."""
    if short.examples:
        yield "\nExamples:"
        for what, line in short.examples:
            yield from textwrap.wrap(
                f"# {what}", _width(), initial_indent="  ", subsequent_indent="  # "
            )
            yield f"  {line}"


def _arguments(command: Any) -> list[Any]:
    return [param for param in command.params if param.param_type_name == "argument"]


def _usage(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return name if argument.required else f"[{name}]"


def _options(command: Any, ctx: Any) -> list[Any]:
    """Return the options that help shows, help itself last."""
    params = command.get_params(ctx)
    return [p for p in params if p.param_type_name == "option" and not p.hidden]


def _row(param: Any, *, brief: bool = False) -> tuple[str, str]:
    """Return an option's names with its value, and its text; with ``brief`` one sentence."""
    if param.param_type_name == "argument":
        return f"  {param.metavar or param.name.upper()}", param.help or ""
    names = sorted(param.opts, key=len)
    shown = ", ".join(names if brief else [*names, *param.secondary_opts])
    if len(names[0]) != 2:
        shown = f"    {shown}"
    if not param.is_flag:
        shown += f" {param.metavar or param.name.upper()}"
    text = param.help or ""
    if set(names) & {_ALL, _SHORT}:
        return f"  {_SHORT}, {_ALL}", "Show help: one screen with -h, all options with --help."
    if brief:
        return f"  {shown}", text.split(". ")[0].rstrip(".") + _default(param)
    return f"  {shown}", text + _range(param) + _default(param)


def _default(param: Any) -> str:
    shown = param.show_default
    if isinstance(shown, str):
        return f" [default: {shown}]"
    if not shown or param.default in (None, False, ""):
        return ""
    if param.is_flag:
        return f" [default: {param.opts[0]}]" if param.secondary_opts else ""
    return f" [default: {getattr(param.default, 'value', param.default)}]"


def _range(param: Any) -> str:
    low, high = getattr(param, "min", None), getattr(param, "max", None)
    if low is not None and high is not None:
        return f" [{low:.9g} to {high:.9g}]"
    return "" if low is None else f" [at least {low:.9g}]"


def _section(title: str, rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield a title and rows in two columns; names that are too long stand alone."""
    if not rows:
        return
    yield f"\n{title}:"
    for names, text in rows:
        lines = textwrap.wrap(text, _width() - _NAMES, break_on_hyphens=False) or [""]
        if len(names) >= _NAMES - 1:
            yield names
        else:
            yield f"{names:{_NAMES}}{lines.pop(0)}".rstrip()
        for line in lines:
            yield " " * _NAMES + line


def _wrapped(paragraph: str) -> list[str]:
    return textwrap.wrap(" ".join(paragraph.split()), _width(), break_on_hyphens=False)


def _width() -> int:
    return max(_FEWEST_COLUMNS, min(_MOST_COLUMNS, shutil.get_terminal_size().columns))
