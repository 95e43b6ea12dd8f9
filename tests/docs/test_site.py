"""The documentation site: built strictly, without a network, and loading nothing from elsewhere."""

import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("material", reason="needs the docs extra")

pytestmark = pytest.mark.slow

LOADS = {"href": {"link"}, "src": {"script", "img", "iframe", "audio", "video", "source", "embed"}}
PAGES = {"index.html", "commands.html", "changelog.html", "security.html", "guides/python.html"}


class Loaded(HTMLParser):
    """Collects the addresses that a browser fetches to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag makes a browser fetch."""
        self.addresses += [
            value for name, value in attrs if value and tag in LOADS.get(name, ()) and value
        ]
        self.addresses += [value for name, value in attrs if name == "srcset" and value]


@pytest.fixture(scope="module")
def site(root: Path, python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site into a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    nowhere = "http://127.0.0.1:9"  # a proxy that nobody serves: any request would fail
    done = subprocess.run(
        [python, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=root,
        env={**os.environ, "http_proxy": nowhere, "https_proxy": nowhere, "PYTHONWARNINGS": ""}
        | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return folder


def test_site_has_all_pages(site: Path) -> None:
    """Pages of docs/ and documents at the top of the repository are there, scripts are not."""
    there = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert there >= PAGES
    assert [name for name in there if name.endswith((".py", ".md"))] == []


def test_no_page_loads_a_foreign_address(site: Path) -> None:
    """Scripts, styles, fonts and pictures come with the site."""
    foreign = []
    for page in site.rglob("*.html"):
        parser = Loaded()
        parser.feed(page.read_text("utf-8"))
        foreign += [
            f"{page.name}: {address}"
            for address in parser.addresses
            if re.match(r"(?:[a-z]+:)?//", address) and not address.startswith("data:")
        ]
    assert foreign == []


def test_no_style_loads_a_foreign_address(site: Path) -> None:
    """Neither by url() nor by @import."""
    for style in site.rglob("*.css"):
        loaded = re.findall(r"(?:url\(|@import )['\"]?((?:[a-z]+:)?//[^'\")]+)", style.read_text())
        assert loaded == [], style.name


def test_links_within_the_site_lead_to_pages(site: Path) -> None:
    """Every relative link of a page leads to a file of the site."""
    for page in site.rglob("*.html"):
        if page.name == "404.html":
            continue
        links = re.findall(r'<a [^>]*href="([^"#]+)', page.read_text("utf-8"))
        for link in links:
            if "://" in link or link.startswith("mailto:"):
                continue
            assert (page.parent / link).exists(), f"{page.name}: {link}"
