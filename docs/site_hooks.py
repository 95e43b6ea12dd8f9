"""What MkDocs calls while it builds the site (`hooks` in mkdocs.yml).

Documents at the top of the repository become pages of the site, and links keep their targets:
a link to a document that is a page leads to the page, a link to another file of the repository
becomes its path, and one to a test the test's name, since the site does not hold these files.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "README.md": "index.md",
}
"""Documents at the top of the repository, and the pages that they are."""
_WRITTEN = {"README.md"}  # index.md is a page of its own
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the documents at the top of the repository."""
    for source, page in PAGES.items():
        if source not in _WRITTEN:
            text = (ROOT / source).read_text("utf-8")
            content = _with_links(text, folder="", page=page)
            files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Rewrite the links of a page of docs/ that leave that folder."""
    name = page.file.src_uri
    if name in PAGES.values() and name != "index.md":
        return markdown  # done in on_files
    return _with_links(markdown, folder=posixpath.dirname(posixpath.join("docs", name)), page=name)


def _with_links(text: str, *, folder: str, page: str) -> str:
    """Rewrite the links of a document that lies in a folder of the repository."""

    def rewritten(found: re.Match[str]) -> str:
        target = found["target"]
        if "://" in target or target.startswith("mailto:"):
            return found[0]
        place = posixpath.normpath(posixpath.join(folder, target))  # from the repository's top
        inside = PAGES.get(place) or (
            place.removeprefix("docs/") if place.startswith("docs/") else None
        )
        if inside is None:
            return found["text"] if place.startswith("tests/") else f"`{place}`"
        relative = posixpath.relpath(inside, posixpath.dirname(page) or ".")
        return f"[{found['text']}]({relative}{found['anchor'] or ''})"

    return _LINK.sub(rewritten, text)
