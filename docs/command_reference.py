"""The command reference: the short help as printed, and all options from typer's own data."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 80
_OPTIONS = "Options"


def run(*arguments: str) -> str:
    """Return what ``emotool`` prints at a fixed width, without colour or trailing spaces."""
    plain = {"COLUMNS": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb", "PYTHONUTF8": "1"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("EMOTOOL_") and name not in {"FORCE_COLOR", "GITHUB_ACTIONS"}
    }
    path = os.pathsep.join([str(ROOT), str(ROOT / "training")])
    output = subprocess.run(
        [sys.executable, "-m", "emotool", *arguments],
        cwd=ROOT,
        env={**kept, **plain, "PYTHONPATH": path},
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout
    return "\n".join(line.rstrip() for line in output.strip("\n").splitlines())


def reference() -> str:
    """Return a section for each command: what it does, its short help, all its options."""
    return "\n\n".join("\n".join(_section(name, command)) for name, command in commands())


def commands() -> Iterator[tuple[str, Any]]:
    """Yield the name and the typer command of each command; of a group, of its commands."""
    from typer import Context
    from typer.core import TyperGroup
    from typer.main import get_command

    from emotool.cli import COMMANDS, app

    root: Any = get_command(app)
    for name in COMMANDS:
        _, command, _ = root.resolve_command(Context(root), [name])
        if isinstance(command, TyperGroup):
            for sub_name, sub_command in command.commands.items():
                yield f"{name} {sub_name}", sub_command
        else:
            yield name, command


def _section(name: str, command: Any) -> Iterator[str]:
    yield f"## emotool {name}\n"
    yield from _paragraphs(command.help or "")
    yield f"```text\n$ emotool {name} -h\n{run(*name.split(), '-h')}\n```\n"
    yield "All arguments and options:\n"
    groups: dict[str, list[str]] = {}
    for param in command.params:
        if param.param_type_name == "argument":
            groups.setdefault("Arguments", []).append(_argument(param))
        elif not param.hidden and "--help" not in param.opts:
            title = getattr(param, "rich_help_panel", None) or _OPTIONS
            groups.setdefault(title, []).append(_option(param))
    for title, lines in groups.items():
        yield f"**{title}**\n"
        yield from lines
        yield ""


def _paragraphs(text: str) -> Iterator[str]:
    """Yield a docstring's paragraphs, each on one line, as Markdown."""
    for paragraph in text.split("\n\n"):
        yield _escaped(" ".join(paragraph.replace("\\[", "[").split())) + "\n"


def _argument(param: Any) -> str:
    name = param.metavar or param.name.upper()
    return f"- `{name}`: {_escaped(param.help or '')}"


def _option(param: Any) -> str:
    names = ", ".join(sorted(param.opts, key=len))
    value = "" if param.is_flag else f" {param.metavar or param.name.upper()}"
    return f"- `{names}{value}`: {_escaped(param.help or '')}{_default(param)}"


def _default(param: Any) -> str:
    shown = param.show_default
    if isinstance(shown, str):
        return f" *Default:* {_escaped(shown)}."
    if not shown or param.is_flag or param.default in (None, False, ""):
        return ""
    return f" *Default:* `{getattr(param.default, 'value', param.default)}`."


def _escaped(text: str) -> str:
    """Keep Markdown from reading a help text's signs, except in its own code spans."""
    pieces = text.split("`")
    signs = str.maketrans({sign: f"\\{sign}" for sign in "*_<>"})
    return "`".join(piece if n % 2 else piece.translate(signs) for n, piece in enumerate(pieces))
