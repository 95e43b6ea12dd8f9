"""Tables of models: from the metadata of the ONNX files and the results of the benchmarks."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docs.markdown import percent, table

if TYPE_CHECKING:
    from emotool.model.metadata import ModelMetadata

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "benchmarks" / "results" / "accuracy" / "figures.json"
PROTOCOLS = {
    "another_corpus": "another corpus",
    "new_speakers": "new speakers",
    "random_clips": "random clips",
}
"""How the test clips relate to the training clips, from the hardest to the easiest."""
_GLUE = "\N{NO-BREAK SPACE}"


def _models() -> "Iterator[tuple[Path, ModelMetadata]]":
    from emotool.model.classifier import read_metadata

    for path in sorted((ROOT / "exported").glob("*.onnx")):
        yield path, read_metadata(path)


def _measured(model: str) -> dict[str, Any]:
    """Return a model's figures by protocol, as docs/accuracy.md has them; empty without any."""
    figures: dict[str, dict[str, Any]] = json.loads(FIGURES.read_text("utf-8"))
    return dict(figures[model]["protocols"]) if model in figures else {}


def models() -> str:
    """Return a row for each model in exported/: labels, size, UAR of each protocol."""
    rows = []
    for path, metadata in _models():
        measured = _measured(path.stem)
        rows.append(
            [
                f"`{path.stem}`",
                _labels(metadata.labels),
                f"{path.stat().st_size / 1e6:.1f}{_GLUE}MB",
                *(_figure(measured.get(protocol)) for protocol in PROTOCOLS),
            ]
        )
    return table(["model", "labels", "size", *PROTOCOLS.values()], rows)


def by_corpus() -> str:
    """Return the UAR of each model on new speakers, per corpus of the test clips."""
    measured = {path.stem: _measured(path.stem).get("new_speakers", {}) for path, _ in _models()}
    corpora = sorted({c for one in measured.values() for c in one.get("averaged_corpora", ())})
    rows = []
    for name, one in measured.items():
        figures = one.get("per_corpus", {})
        cells = [
            percent(figures[corpus]["uar"]).replace(" ", _GLUE) if corpus in figures else "–"
            for corpus in corpora
        ]
        rows.append([f"`{name}`", *cells])
    return table(["model", *corpora], rows)


def speed() -> str:
    """Return a line for the smallest model of results/speed.md, and for the default one."""
    from emotool.model.catalog import DEFAULT_MODEL

    text = (ROOT / "benchmarks" / "results" / "speed.md").read_text("utf-8")
    rows = re.findall(r"^\| \*\*emotool (`\w+`)\*\* \| (.*) \|$", text, re.MULTILINE)
    cells = {
        name: [float(cell) for cell in row.replace(",", "").split(" | ")] for name, row in rows
    }
    lines = []
    for name in ("`cnn`", f"`{DEFAULT_MODEL}`"):
        _, rate, _, real_time, _, memory, start = cells[name]
        lines.append(
            f"- {name}: {rate:,.0f} clips per second, {real_time:,.0f} times real time, "
            f"{memory:.0f} MiB of memory, {start:.1f} s start-up"
        )
    return "\n".join(lines)


def _labels(labels: tuple[str, ...]) -> str:
    return ", ".join(labels) if len(labels) < 4 else f"{len(labels)}: {', '.join(labels)}"


def _figure(measured: dict[str, Any] | None) -> str:
    """Return a UAR with its interval, or a dash if there is none."""
    if measured is None:
        return "–"
    uar, low, high = (measured[f"uar{end}"] for end in ("", "_low", "_high"))
    interval = f" ({100 * low:.1f} to {100 * high:.1f})" if low is not None and high else ""
    return (percent(uar) + interval).replace(" ", _GLUE)
