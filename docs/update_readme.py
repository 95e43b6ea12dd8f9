"""Write the generated blocks of README.md, or with --check only say whether they are current.

A block stands between ``<!-- begin: NAME -->`` and ``<!-- end: NAME -->``; each NAME is a function
in ``BLOCKS`` below. What a program can say (help texts, tables of models and figures) is never
typed by hand.

    python docs/update_readme.py [--check]
"""

import difflib
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
ACCURACY = ROOT / "benchmarks" / "results" / "accuracy.md"
FLAGS = ROOT / "benchmarks" / "results" / "flags.md"
GROWTH = ROOT / "benchmarks" / "results" / "speed_growth.md"
SPEED = ROOT / "benchmarks" / "results" / "speed.md"
SUB_COMMANDS = {"data": "data check"}  # shown instead of the group's own help
WIDTH = 100
BLOCK = re.compile(r"(<!-- begin: (?P<name>[a-z-]+) -->\n).*?(<!-- end: (?P=name) -->)", re.DOTALL)


def run(*arguments: str) -> str:
    """Return what ``emotool`` prints at a fixed width, without colour or trailing spaces."""
    plain = {"COLUMNS": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb", "PYTHONUTF8": "1"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("EMOTOOL_") and name not in {"FORCE_COLOR", "GITHUB_ACTIONS"}
    }
    output = subprocess.run(
        [sys.executable, "-m", "emotool", *arguments],
        cwd=ROOT,
        env={**kept, **plain},
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout
    return "\n".join(line.rstrip() for line in output.strip("\n").splitlines())


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )


def reference() -> str:
    """Return every command's help, folded away."""
    from emotool.cli import COMMANDS

    names = [SUB_COMMANDS.get(name, name) for name in COMMANDS]
    return "\n\n".join(
        f"<details><summary><code>emotool {name}</code></summary>\n\n"
        f"```text\n{run(*name.split(), '--help')}\n```\n\n</details>"
        for name in names
    )


def models() -> str:
    """Return a row for each model in exported/, from what the files say of themselves."""
    from emotool.model.classifier import read_metadata

    rows = []
    for path in sorted((ROOT / "exported").glob("*.onnx")):
        metadata = read_metadata(path)
        uar, low, high = (
            metadata.metric("new_speakers", f"uar{end}") for end in ("", "_low", "_high")
        )
        figure = "not measured" if uar is None else percent(uar)
        if low is not None and high is not None:
            figure += f" ({percent(low)} to {percent(high)})"
        rows.append(
            [
                f"[`{path.stem}`](exported/{path.stem}.md)",
                ", ".join(metadata.labels),
                f"{path.stat().st_size / 1e6:.1f} MB",
                figure,
                ", ".join(metadata.corpora),
            ]
        )
    if not rows:
        return "No model has been exported yet."
    return table(
        ["model", "labels", "size", "UAR on new speakers (95 % interval)", "trained on"], rows
    )


def accuracy() -> str:
    """Return the results table of benchmarks/accuracy.py, or that there is none yet."""
    if not ACCURACY.is_file():
        return "Not measured yet: `python benchmarks/accuracy.py` fills this table."
    return ACCURACY.read_text("utf-8").strip()


def flags() -> str:
    """Return the first table of benchmarks/flags.py: how often each flag is right."""
    lines = FLAGS.read_text("utf-8").splitlines()
    first, after = first_table(lines)
    return "\n".join(lines[first:after])


def first_table(lines: Sequence[str]) -> tuple[int, int]:
    """Return where a Markdown table begins, and the line behind it."""
    first = next(place for place, line in enumerate(lines) if line.startswith("|"))
    rest = range(first, len(lines))
    return first, next((n for n in rest if not lines[n].startswith("|")), len(lines))


def speed() -> str:
    """Return what benchmarks/speed.py says of its conditions, and its table of rates."""
    if not SPEED.is_file():
        return "Not measured yet: `python benchmarks/speed.py` fills this table."
    lines = SPEED.read_text("utf-8").strip().splitlines()
    return "\n".join(lines[: first_table(lines)[1]])


def growth() -> str:
    """Return the table of benchmarks/speed_growth.py."""
    if not GROWTH.is_file():
        return "Not measured yet: `python benchmarks/speed_growth.py` fills this table."
    return GROWTH.read_text("utf-8").strip()


def extras() -> str:
    """Return the optional extras and what each brings."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    bare = re.compile(r"^[A-Za-z0-9._-]+")
    rows = [
        [f"`{name}`", ", ".join(found.group() for need in needs if (found := bare.match(need)))]
        for name, needs in project["optional-dependencies"].items()
    ]
    return table(["extra", "brings"], rows)


def percent(rate: float) -> str:
    """Return a rate in [0, 1] as a percentage with one decimal."""
    return f"{100 * rate:.1f} %"


BLOCKS: dict[str, Callable[[], str]] = {
    "accuracy": accuracy,
    "extras": extras,
    "flags": flags,
    "growth": growth,
    "models": models,
    "reference": reference,
    "speed": speed,
}


def fill(text: str) -> str:
    """Return a document with every block written anew; an unknown block is a `KeyError`."""
    return BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found['name']]()}\n{found[3]}", text)


def main(arguments: Sequence[str]) -> int:
    """Write README.md, or compare; return 1 if --check finds a difference."""
    before = README.read_text("utf-8")
    after = fill(before)
    if "--check" in arguments:
        difference = difflib.unified_diff(
            before.splitlines(), after.splitlines(), "README.md", "as it should be", lineterm=""
        )
        print("\n".join(difference))
        return int(before != after)
    README.write_text(after, "utf-8")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    raise SystemExit(main(sys.argv[1:]))
