"""Settings under the command line: environment variables and ``emotool.toml``.

What is set in several places is taken from the first of: the command line, ``EMOTOOL_*``
variables, ``emotool.toml`` in the current folder, the one in the user's folder.

A folder of recordings can be untrusted, with an ``emotool.toml`` in it. So that file
decides how clips are read and nothing that could do harm: not where files are written, not
that formulas stay in cells, and a model by its name only (see `emotool.cli.settings`).
"""

import json
import os
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from emotool.errors import SettingsError
from emotool.text import printable

__all__ = ["FILE_NAME", "Setting", "from_environment", "read_settings", "to_toml", "user_file"]

FILE_NAME = "emotool.toml"
PREFIX = "EMOTOOL_"
OTHER_VARIABLES = frozenset({"EMOTOOL_MODELS", "EMOTOOL_CORPUS", "EMOTOOL_CONFIG"})

_SIMPLE = (bool, int, float, str)


@dataclass(frozen=True, slots=True)
class Setting:
    """A value, and where it was set.

    Parameters
    ----------
    value : bool, int, float, str or list of str
        As written there.
    source : str
        The file's or the variable's name, for messages.
    """

    value: Any
    source: str


def read_settings(path: Path, command: str, known: Collection[str]) -> dict[str, Setting]:
    """Read a command's table of a settings file; a file that is not there has no settings.

    Parameters
    ----------
    path : Path
        The file.
    command : str
        The table's name.
    known : collection of str
        The names it may hold, with ``_``; in the file ``-`` does as well.

    Raises
    ------
    SettingsError
        If the file cannot be read, is no TOML, or holds what no option is called.
    """
    shown = printable(str(path))
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        if _is_hidden(path):
            return {}
        raise SettingsError(
            f"cannot read {shown}: {error.strerror}", hint="allow reading it, or move it away"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{shown} is not valid TOML: {printable(str(error))}") from error
    for name, value in document.items():
        if name != command or not isinstance(value, dict):
            raise SettingsError(
                f"{shown}: {printable(name)!r} is not expected there",
                hint=f"settings stand below a line [{command}]",
            )
    table = document.get(command, {})
    return {
        _known(name, known, shown): Setting(_plain(name, value, shown), shown)
        for name, value in table.items()
    }


def _is_hidden(path: Path) -> bool:
    """Return whether a folder keeps its files from this user, as a home of somebody else's does.

    What may be there is then no setting of theirs, and no reason not to work.
    """
    try:
        path.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def from_environment(known: Collection[str], environment: Mapping[str, str]) -> dict[str, Setting]:
    """Read the variables ``EMOTOOL_NAME``; an empty one counts as not set.

    Raises
    ------
    SettingsError
        If a variable is nearly, but not quite, called as a setting. Others that begin with
        ``EMOTOOL_`` are left alone.

    Examples
    --------
    >>> from_environment(["batch_size"], {"EMOTOOL_BATCH_SIZE": "8", "HOME": "/"})
    {'batch_size': Setting(value='8', source='EMOTOOL_BATCH_SIZE')}
    """
    variables = {f"{PREFIX}{name.upper()}": name for name in known}
    found = {
        variables[variable]: Setting(value, variable)
        for variable, value in environment.items()
        if variable in variables and value
    }
    for variable in environment.keys() - variables.keys() - OTHER_VARIABLES:
        close = get_close_matches(variable, variables, n=1, cutoff=0.85)
        if close and variable.startswith(PREFIX):
            raise SettingsError(
                f"the environment variable {printable(variable)} is not a setting",
                hint=f"did you mean {close[0]}?",
            )
    return found


def to_toml(command: str, values: Mapping[str, Any], comments: Iterable[str] = ()) -> str:
    r"""Write settings as a file that `read_settings` takes.

    Raises
    ------
    SettingsError
        If a value is a file name with bytes that are no text, which TOML cannot say.

    Examples
    --------
    >>> print(to_toml("classify", {"model": "cnn", "raw": False, "output": ["a.csv"]}), end="")
    [classify]
    model = "cnn"
    raw = false
    output = ["a.csv"]
    """
    lines = [f"# {comment}" for comment in comments]
    lines.append(f"[{command}]")
    lines += [f"{name} = {_literal(name, value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def _known(name: str, known: Collection[str], shown: str) -> str:
    wanted = name.replace("-", "_")
    if wanted in known:
        return wanted
    close = get_close_matches(wanted, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"settings: {', '.join(sorted(known))}"
    raise SettingsError(f"{shown}: there is no setting {printable(name)!r}", hint=hint)


def _plain(name: str, value: Any, shown: str) -> Any:
    if isinstance(value, _SIMPLE):
        return value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return value
    raise SettingsError(f"{shown}: {printable(name)} must be a text, a number, true or false")


def _literal(name: str, value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_literal(name, part) for part in value)}]"
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise SettingsError(
                f"{name}: {printable(value)} cannot be written in a settings file"
            ) from error
        # JSON's escapes are TOML's, but for DEL, which JSON lets stand.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    # JSON's infinity is none of TOML's words, Python's is.
    return repr(value) if isinstance(value, float) else json.dumps(value)


def user_file(folder: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the user's settings file: ``$EMOTOOL_CONFIG``, else the one in ``folder``.

    Raises
    ------
    SettingsError
        If the variable names nothing that is there; the file in ``folder`` need not be.
    """
    named = environment.get("EMOTOOL_CONFIG")
    if named and not Path(named).exists():
        raise SettingsError(
            f"EMOTOOL_CONFIG names {printable(named)}, which is not there",
            hint="correct it or unset it",
        )
    return Path(named or Path(folder) / FILE_NAME)
