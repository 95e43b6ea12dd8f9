"""Tables of models: from the metadata of the ONNX files and the results of the benchmarks."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from docs.markdown import percent, table

if TYPE_CHECKING:
    from emotool.model.metadata import ModelMetadata

ROOT = Path(__file__).resolve().parents[1]
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


def models() -> str:
    """Return a row for each model in exported/: labels, size, UAR of each protocol."""
    found = list(_models())
    measured = [
        protocol
        for protocol in PROTOCOLS
        if any(metadata.metric(protocol, "uar") is not None for _, metadata in found)
    ]
    rows = [
        [
            f"`{path.stem}`",
            _labels(metadata.labels),
            f"{path.stat().st_size / 1e6:.1f}{_GLUE}MB",
            *(_figure(metadata, protocol) for protocol in measured),
        ]
        for path, metadata in found
    ]
    return table(["model", "labels", "size", *(PROTOCOLS[name] for name in measured)], rows)


def by_corpus() -> str:
    """Return the UAR of each model on new speakers, per corpus of the test clips."""
    found = list(_models())
    corpora = sorted(
        {
            corpus
            for _, metadata in found
            for corpus in metadata.metrics.get("new_speakers", {}).get("averaged_corpora", ())
        }
    )
    rows = []
    for path, metadata in found:
        figures = metadata.metrics.get("new_speakers", {}).get("per_corpus", {})
        cells = [
            percent(figures[name]["uar"]).replace(" ", _GLUE) if name in figures else "–"
            for name in corpora
        ]
        rows.append([f"`{path.stem}`", *cells])
    return table(["model", *corpora], rows)


def speed() -> str:
    """Return a line for the fastest and the slowest model of results/speed_shipped.md."""
    text = (ROOT / "benchmarks" / "results" / "speed_shipped.md").read_text("utf-8")
    rows = re.findall(r"^\| \*\*emotool (`\w+`)\*\* \| (.*) \|$", text, re.MULTILINE)
    cells = {
        name: [float(cell) for cell in row.replace(",", "").split(" | ")] for name, row in rows
    }
    ranked = sorted(cells, key=lambda name: -cells[name][1])
    lines = []
    for name in (ranked[0], ranked[-1]):
        _, rate, _, real_time, _, memory, start = cells[name]
        lines.append(
            f"- {name}: {rate:,.0f} clips per second, {real_time:,.0f} times real time, "
            f"{memory:.0f} MiB of memory, {start:.1f} s start-up"
        )
    return "\n".join(lines)


def _labels(labels: tuple[str, ...]) -> str:
    return ", ".join(labels) if len(labels) < 4 else f"{len(labels)}: {', '.join(labels)}"


def _figure(metadata: "ModelMetadata", protocol: str) -> str:
    """Return a UAR with its interval, or that there is none."""
    uar, low, high = (metadata.metric(protocol, f"uar{end}") for end in ("", "_low", "_high"))
    if uar is None:
        return "–"
    interval = f" ({100 * low:.1f} to {100 * high:.1f})" if low is not None and high else ""
    return (percent(uar) + interval).replace(" ", _GLUE)
