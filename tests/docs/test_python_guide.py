"""docs/guides/python.md: each block runs after those before it, and prints what the page says."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from emotool.model.catalog import DEFAULT_MODEL

pytestmark = pytest.mark.slow

_CELL = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def test_tutorial_prints_what_it_says(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader who pastes the page's blocks one by one sees what stands under them."""
    if not (root / "exported" / f"{DEFAULT_MODEL}.onnx").is_file():
        pytest.skip(f"needs the model exported/{DEFAULT_MODEL}.onnx")
    pytest.importorskip("pandas", reason="needs pandas (extra `pandas`)")
    monkeypatch.chdir(root)
    page = (root / "docs" / "guides" / "python.md").read_text("utf-8")
    cells = _CELL.findall(page)
    assert len(cells) == page.count("```python")
    names: dict[str, Any] = {}
    for source, expected in cells:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(source, "docs/guides/python.md", "exec"), names)
        assert printed.getvalue() == expected, source
