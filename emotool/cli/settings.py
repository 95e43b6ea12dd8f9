"""A command whose options can be set in files and in the environment too."""

import os
import sys
from pathlib import Path
from typing import Any

import typer

from emotool.cli.help import HelpCommand, asks_for_help
from emotool.cli.settings_file import (
    FILE_NAME,
    Setting,
    from_environment,
    read_settings,
    to_toml,
    user_file,
)
from emotool.errors import OutputError, SettingsError
from emotool.text import printable

__all__ = ["SettingsCommand"]

# What a file in the current folder may choose: nothing that names a file, drops what is done, or
# takes a protection away. A new option is not among these until someone puts it here.
_HARMLESS = frozenset(
    {
        "batch_size",
        "by_content",
        "decimal",
        "delimiter",
        "device",
        "excel",
        "fail_fast",
        "format",
        "hop",
        "max_errors",
        "merge",
        "min_confidence",
        "model",
        "quiet",
        "segments",
        "threads",
        "timeout",
        "top",
        "verbose",
        "workers",
    }
)
_NO_SETTINGS = frozenset({"help", "save_config"})
_EXCLUSIVE = (("quiet", "verbose"), ("fail_fast", "max_errors"))


class SettingsCommand(HelpCommand):
    """Takes what the command line leaves open from the environment and settings files."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the settings below the command line's options, unless help is asked for."""
        if not ctx.resilient_parsing and not asks_for_help(args):
            settings = _settings(ctx, self)
            ctx.default_map = {
                option.name: _checked(ctx, option, settings[name])
                for name, option in _options(self).items()
                if name in settings
            }
            ctx.meta["emotool.settings"] = settings
        rest = super().parse_args(ctx, args)
        _prefer_command_line(ctx, self)
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Say where settings come from (--verbose), keep them (--save-config), and run."""
        if ctx.params.get("verbose") and not ctx.params.get("quiet") and sys.stderr is not None:
            for name, setting in ctx.meta["emotool.settings"].items():
                typer.echo(f"setting: {name} = {setting.value!r} ({setting.source})", err=True)
        if ctx.params.get("save_config"):
            _save(ctx, self, Path(ctx.params["save_config"]))
        return super().invoke(ctx)


def _prefer_command_line(ctx: Any, command: HelpCommand) -> None:
    """Drop a setting where the command line gives an option that excludes it."""
    options = _options(command)
    for pair in _EXCLUSIVE:
        for given, kept in (pair, pair[::-1]):
            sources = (ctx.get_parameter_source(given), ctx.get_parameter_source(kept))
            if [getattr(source, "name", "") for source in sources] == [
                "COMMANDLINE",
                "DEFAULT_MAP",
            ]:
                ctx.params[kept] = options[kept].default
                del ctx.meta["emotool.settings"][kept]


def _options(command: HelpCommand) -> dict[str, Any]:
    """Return the options by the names they have in settings."""
    found = {}
    for param in command.params:
        long = [name for name in param.opts if name.startswith("--")]
        if long and (name := long[0][2:].replace("-", "_")) not in _NO_SETTINGS:
            found[name] = param
    return found


def _settings(ctx: Any, command: HelpCommand) -> dict[str, Setting]:
    known = _options(command)
    theirs = read_settings(Path(FILE_NAME), command.name or "", known)
    for name, setting in theirs.items():
        _confine(name, setting)
    user = read_settings(user_file(typer.get_app_dir("emotool")), command.name or "", known)
    return {**user, **theirs, **from_environment(known, os.environ)}


def _confine(name: str, setting: Setting) -> None:
    """Refuse what a file in the current folder, which is untrusted, must not choose."""
    if name not in _HARMLESS:
        raise SettingsError(
            f"{setting.source}: {name} cannot be set by a file in the current folder",
            hint="this file may be untrusted, as the recordings: set it on the command "
            "line, in the environment or in your own settings file",
        )
    if name == "model":
        from emotool.model.catalog import list_models

        names = [entry.name for entry in list_models() if entry.name == entry.path.stem]
        if setting.value not in names:
            raise SettingsError(
                f"{setting.source}: there is no model {printable(str(setting.value))!r}; a file "
                "in the current folder may choose models by name only",
                hint=f"models: {', '.join(printable(known) for known in names)}",
            )


def _checked(ctx: Any, option: Any, setting: Setting) -> Any:
    """Return a setting's value if the option takes it."""
    value = [setting.value] if option.multiple and isinstance(setting.value, str) else setting.value
    if isinstance(value, list) and not option.multiple:
        raise SettingsError(f"{setting.source}: {option.name} takes one value")
    if isinstance(value, bool) != option.is_flag and not isinstance(value, str):
        kind = "true or false" if option.is_flag else "no true or false"
        raise SettingsError(f"{setting.source}: {option.name} takes {kind}")
    try:
        option.process_value(ctx, value)
    except typer.BadParameter as error:
        raise SettingsError(f"{setting.source}: {option.name}: {error.message}") from error
    return value


def _spare_other_files(target: Path) -> None:
    """Refuse to put settings where something else is, such as a recording or a table."""
    if not target.is_file():
        return
    import tomllib

    try:
        tomllib.loads(target.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(
            f"{printable(str(target))} already exists and is not a settings file (TOML)",
            hint="give --save-config another name, or remove the file",
        ) from error


def _save(ctx: Any, command: HelpCommand, target: Path) -> None:
    """Write the settings in effect, so that the file gives them again."""
    options = _options(command)
    values: dict[str, Any] = {}
    for name, option in options.items():
        value = ctx.params.get(option.name)
        if value is not None and value != []:
            values[name] = getattr(value, "value", value)
    comments = [f"Settings of emotool {command.name}; options on the command line take precedence."]
    if target.absolute() == Path(FILE_NAME).absolute():
        comments.append(
            "Outputs are not saved: a file in the current folder may not name files to write."
        )
        values = {name: value for name, value in values.items() if name in _HARMLESS}
    _spare_other_files(target)
    from emotool.files.atomic import atomic_write

    text = to_toml(command.name or "", values, comments)
    with atomic_write(target, text=True) as handle:
        handle.write(text)
