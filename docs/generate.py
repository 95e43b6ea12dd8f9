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

from docs import command_reference, house, models_table  # noqa: E402 - after the path is set
from docs.markdown import first_table, table  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
BLOCK = re.compile(r"(<!-- begin: (?P<name>[a-z0-9-]+) -->\n).*?(<!-- end: (?P=name) -->)", re.S)
LABEL = "LABEL"  # stands for each label of a model
MEANINGS = {
    "path": ("text", "the argument as typed, joined by `/` with the path below it in a folder "
             "or zip archive; bytes that are not UTF-8 appear as `\\xNN`"),
    "status": ("text", "`ok`, `silent`, `too_short` or `failed`"),
    "label": ("text", "the most probable label, or `uncertain` below `--min-confidence`; empty "
              "unless `ok`"),
    "confidence": ("number", "probability of the most probable label, 0 to 1, six decimals; empty "
                   "unless `ok`"),
    f"p_{LABEL}": ("number", "one column per label, in the model's order: its mean probability "
                   "over the clip's windows; empty unless `ok`"),
    "duration_s": ("number", "length of the decoded clip in seconds, three decimals; empty if it "
                   "could not be decoded"),
    "start_s": ("number", "with `--segments`: start of the window in seconds from the start of "
                "the file, six decimals"),
    "end_s": ("number", "with `--segments`: end of the window"),
    "channel": ("text", "with `--channels`: the channel that the row is about"),
    "flags": ("text", "zero or more of the flags below, separated by `;`"),
    "model": ("text", "name of the model; another model with a built-in one's name has the first "
              "eight digits of its SHA-256 after it, as in `cnn@1a2b3c4d`"),
    "error": ("text", "why there is no label, as `stage: reason` for `failed`; empty if `ok`"),
}  # fmt: skip
"""Type and meaning of each column of a table of results."""


def columns() -> str:
    """Return a table of the columns of results; one without a meaning is a `KeyError`."""
    from emotool.results.row import columns

    rows = [[f"`{name}`", *MEANINGS[name]] for name in columns([LABEL], spans=True)]
    rows.append(
        [
            "`top_1`, `top_1_p`, `top_2`, …",
            "text, number",
            "with `--top N`, after all others: the N most probable labels and their probabilities, "
            "most probable first, also where `label` is `uncertain`",
        ]
    )
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
    return path.read_text("utf-8").strip()


def result_head(name: str, *, prose: bool = True) -> str:
    """Return a benchmark's first table, with the text before it unless ``prose`` is false."""
    lines = result(name).splitlines()
    first, end = first_table(lines)
    return "\n".join(lines[0 if prose else first : end]).strip()


BLOCKS: dict[str, Callable[[], str]] = {
    "accuracy": partial(result, "accuracy"),
    "accuracy-by-corpus": models_table.by_corpus,
    "columns": columns,
    "commands": command_reference.reference,
    "contracts": house.contracts,
    "extras": extras,
    "flags": partial(result_head, "flags", prose=False),
    "flags-all": partial(result, "flags"),
    "growth": partial(result, "speed_growth"),
    "long-recording": partial(result, "long_recording"),
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
