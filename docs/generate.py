"""Update the generated blocks of README.md and of the documentation, or check them.

A block stands between ``<!-- begin: NAME -->`` and ``<!-- end: NAME -->``; each NAME is a function
in ``BLOCKS`` below. What a program or a benchmark prints is never typed by hand.

    python docs/generate.py [--check]
"""

import difflib
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from docs import cluster_cost, command_reference, house, models_table  # noqa: E402 - after the path is set
from docs.markdown import first_table, table  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
BLOCK = re.compile(r"(<!-- begin: (?P<name>[a-z0-9-]+) -->\n).*?(<!-- end: (?P=name) -->)", re.S)
LABEL = "LABEL"  # stands for each label of a model
DIMENSION = "DIMENSION"  # and for each dimension
KINDS = {"text": "text", "texts": "text", "cell": "text"}


def columns() -> str:
    """Return a table of the columns of results: names, type, meaning."""
    from emotool.results.columns import Columns

    rows = []
    for entry in Columns([LABEL], segments=True, top=1, dimensions=[DIMENSION]).entries:
        if entry.columns:
            names = ", ".join(f"`{column.name}`" for column in entry.columns)
            kinds = dict.fromkeys(KINDS.get(column.kind, "number") for column in entry.columns)
            rows.append([names, ", ".join(kinds), entry.meaning])
    return table(["column", "type", "meaning"], rows)


def extras() -> str:
    """Return the optional extras and the packages that each installs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    bare = re.compile(r"^[A-Za-z0-9._-]+")
    rows = [
        [f"`{name}`", ", ".join(found.group() for need in needs if (found := bare.match(need)))]
        for name, needs in project["optional-dependencies"].items()
    ]
    return table(["extra", "packages"], rows)


def result(name: str) -> str:
    """Return what a benchmark has written to ``benchmarks/results/NAME.md``."""
    path = RESULTS / f"{name}.md"
    if not path.is_file():
        return f"Not measured yet: `benchmarks/results/{name}.md` does not exist."
    lines = path.read_text("utf-8").strip().splitlines()
    return "\n".join(line for line in lines if "| absent: " not in line)  # peers not installed


def result_head(name: str, *, prose: bool = True) -> str:
    """Return a benchmark's first table, with the text before it unless ``prose`` is false."""
    lines = result(name).splitlines()
    first, end = first_table(lines)
    return "\n".join(lines[0 if prose else first : end]).strip()


BLOCKS: dict[str, Callable[[], str]] = {
    "accuracy": partial(result, "accuracy"),
    "adopt": partial(result, "adopt"),
    "accuracy-by-corpus": models_table.by_corpus,
    "cloud": partial(result, "cloud"),
    "cluster": partial(result, "cluster"),
    "cluster-simulation": partial(result, "cluster_simulation"),
    "columns": columns,
    "commands": command_reference.reference,
    "contracts": house.contracts,
    "extras": extras,
    "flags": partial(result_head, "flags", prose=False),
    "flags-all": partial(result, "flags"),
    "growth": partial(result, "speed_growth"),
    "long-recording": partial(result, "long_recording"),
    "million": cluster_cost.million,
    "models": models_table.models,
    "outputs": partial(result, "outputs"),
    "rooms": house.rooms,
    "rooms-line": house.rooms_line,
    "speed": partial(result, "speed"),
    "speed-avx2": partial(result_head, "speed_avx2"),
    "speed-lines": models_table.speed,
    "storage": partial(result, "storage"),
    "training-rooms": house.training_rooms,
}


def documents() -> Iterator[Path]:
    """Yield the files that may have generated blocks."""
    yield ROOT / "README.md"
    yield ROOT / "CONTRIBUTING.md"
    yield from sorted((ROOT / "docs").rglob("*.md"))


def fill(text: str) -> str:
    """Return a document with every block updated; an unknown block is a `KeyError`."""
    return BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found['name']]()}\n{found[3]}", text)


def main(arguments: Sequence[str]) -> int:
    """Update the documents, or compare; return 1 if --check finds a difference."""
    stale = False
    for path in documents():
        before = path.read_text("utf-8")
        after = fill(before)
        if after == before:
            continue
        stale = True
        if "--check" in arguments:
            name = path.relative_to(ROOT).as_posix()
            lines = difflib.unified_diff(
                before.splitlines(), after.splitlines(), name, "generated", lineterm=""
            )
            print("\n".join(lines))
        else:
            path.write_text(after, "utf-8")
    return int(stale and "--check" in arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
