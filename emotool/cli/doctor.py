"""``emotool doctor``: whether everything works here."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from emotool.text import printable

__all__ = ["doctor"]

_SIGNS = {"ok": "ok", "broken": "BROKEN", "absent": "-"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for bug reports.")] = False,
) -> None:
    """Check that everything `classify` needs works on this machine.

    Loads every model and compares its reference output, times the default model on each device,
    writes and reads a tone in each audio format, and lists the installed extras and how to
    install the others. Nothing is sent anywhere.

    Exit codes: 0 everything needed works; 1 something marked BROKEN does not.
    """
    from emotool.doctor import examine

    checks = []
    for check in examine():
        checks.append(check)
        if not as_json:
            if len(checks) == 1 or checks[-2].group != check.group:
                typer.echo(check.group)
            sign = _SIGNS[check.status]
            typer.echo(f"  {sign:6}  {printable(check.name):12}  {printable(check.detail)}")
    broken = sum(check.status == "broken" for check in checks)
    if as_json:
        typer.echo(json.dumps({"broken": broken, "checks": [asdict(c) for c in checks]}, indent=1))
    elif broken:
        typer.echo(f"{broken} of {len(checks)} checks failed.", err=True)
    raise typer.Exit(1 if broken else 0)
