"""Pictures of the rooms of emotool and of their contracts, from pyproject.toml and docstrings."""

import ast
import re
import textwrap
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from docs.markdown import table

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "emotool"
TRAINING = ROOT / "training" / "emotool_training"
WIDTH = 74  # columns of the picture, which a page shows without scrolling


def _contracts() -> list[dict[str, Any]]:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    contracts: list[dict[str, Any]] = tool["importlinter"]["contracts"]
    return contracts


def rooms() -> str:
    """Return the picture of emotool's rooms: one line per layer, the highest first."""
    (layers,) = [contract["layers"] for contract in _contracts() if contract["id"] == "rooms"]
    names = [[name.strip() for name in layer.split("|")] for layer in layers]
    width = max(len(name) for layer in names for name in layer) + 2
    lines: list[str] = []
    for layer in names:
        for name in layer:
            beside = "" if name == layer[0] else f" (beside {layer[0]})"
            lines += textwrap.wrap(
                _purpose(PACKAGE, name).replace("`", "") + beside,
                WIDTH,
                initial_indent=f"{name:{width}}",
                subsequent_indent=" " * width,
            )
    return "\n".join(["```text", *lines, "```"])


def rooms_line() -> str:
    """Return the names of emotool's rooms in their order, the highest first."""
    (layers,) = [contract["layers"] for contract in _contracts() if contract["id"] == "rooms"]
    picture = " > ".join(layer.replace(" | ", ", ") for layer in layers)
    lines = textwrap.wrap(picture, 96, break_on_hyphens=False)
    return "\n".join(["```text", *lines, "```"])


def training_rooms() -> str:
    """Return a table of the rooms of emotool_training."""
    names = sorted(
        path.name for path in TRAINING.iterdir() if path.is_dir() and any(path.glob("*.py"))
    )
    rows = [[f"`{name}`", _purpose(TRAINING, name)] for name in names]
    return table(["package", "purpose"], rows)


def contracts() -> str:
    """Return a table of the import contracts that `make lint` checks."""
    return table(["contract", "holds for", "forbidden"], map(_contract, _contracts()))


def _contract(contract: dict[str, Any]) -> Sequence[str]:
    if contract["type"] == "layers":
        others = "packages on the same level or above"
        return [contract["name"], "every package of `emotool`", others]
    sources = ", ".join(_shortened(contract["source_modules"]))
    return [contract["name"], sources, ", ".join(map(_code, contract["forbidden_modules"]))]


def _shortened(sources: Sequence[str]) -> Iterator[str]:
    """Name source modules; of most rooms of emotool, the ones that are missing."""
    below = {name.removeprefix("emotool.") for name in sources if name.startswith("emotool.")}
    everything = {
        path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"
    } - {"__init__", "__main__", "__pycache__", "py"}
    if len(below) > len(everything) / 2:
        missing = ", ".join(_code(name) for name in sorted(everything - below))
        yield f"all of `emotool` but {missing}" if missing else "all of `emotool`"
    else:
        yield from map(_code, sources)


def _code(name: str) -> str:
    return f"`{name}`"


def _purpose(parent: Path, name: str) -> str:
    """Return the first sentence of a room's docstring, on one line."""
    place = parent / name
    path = place / "__init__.py" if place.is_dir() else parent / f"{name}.py"
    if not path.is_file():
        return ""
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    sentence = re.split(r"(?<=[.:])\s", " ".join(text.split("\n\n")[0].split()))
    return " ".join(sentence).replace("``", "`").rstrip(".")
