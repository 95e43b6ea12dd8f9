"""docs/guides/clusters.md: the queries print what the page says, on parts as they are written."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from emotool.results.columns import Columns
from emotool.results.row import ClipResult
from emotool.writers.base import WriterOptions

_CELL = re.compile(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def row(index: int, sad: float | None) -> ClipResult:
    """Return a row of the page's example; None has failed."""
    path = f"s3://calls/2024/{index}.wav"
    if sad is None:
        error = "it changed after it was listed"
        return ClipResult(index, path, "failed", "cnn", stage="open", error=error)
    label, shares = ("sad" if sad > 0.5 else "happy"), (1 - sad, sad)
    return ClipResult(index, path, "ok", "cnn", label, max(shares), shares, 1.0)


def test_queries_print_what_the_page_says(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other, on two parts."""
    for module in ("duckdb", "polars", "pyarrow"):
        pytest.importorskip(module, reason="needs DuckDB, polars and pyarrow")
    from emotool.writers.parquet_writers import ParquetWriter

    monkeypatch.chdir(tmp_path)
    Path("labels").mkdir()
    for number, shares in ((1, (0.1, 0.2, 0.6)), (2, (0.95, 0.3, None))):
        target = f"labels/part-{number:05}.parquet"
        with ParquetWriter(target, Columns(("happy", "sad")), {}, WriterOptions()) as writer:
            for place, share in enumerate(shares):
                writer.write(row(3 * number - 3 + place, share))
    page = (root / "docs" / "guides" / "clusters.md").read_text("utf-8")
    cells = _CELL.findall(page)
    assert len(cells) == page.count("```python") == 3
    names: dict[str, Any] = {}
    for source, expected in cells:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(source, "docs/guides/clusters.md", "exec"), names)
        assert printed.getvalue() == expected, source
