"""A report in headless Chromium, driven by Selenium, for the tests of the report."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emotool.results.columns import Columns
from emotool.results.row import ClipResult
from tests.emotool.tiny_models import LABELS

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
OPTIONS = (
    "--headless",
    "--no-sandbox",  # root may not have one
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
)
# What would have been told to anyone who listens, before any script of the page runs.
WITNESS = """
window.longest = 0;
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
}).observe({ type: "longtask" });
window.alert = () => { window.attacked = true; };
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) => refused.push(event.blockedURI));
"""
TABLE = Columns(LABELS)
LONG_TASK_MS = 200


class Page:
    """An open report, and what a person does with it."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, path: Path) -> None:
        """Open a file and wait until it is ready."""
        self.driver.get(path.as_uri())
        self.until(lambda: self.js("return document.documentElement.dataset.ready === ''"))

    def js(self, code: str, *arguments: object) -> Any:
        """Run JavaScript; a policy of the page does not hold for the driver."""
        return self.driver.execute_script(code, *arguments)

    def until(self, done: Callable[[], object], seconds: float = 30) -> Any:
        """Wait for something to become true."""
        end = time.monotonic() + seconds
        while not (value := done()):
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.02)
        return value

    def find(self, selector: str) -> Any:
        """Return the first element of a selector."""
        return self.driver.find_element("css selector", selector)

    def names(self) -> list[str]:
        """Return the file names in the rows, from the top."""
        return list(
            self.js("return [...document.querySelectorAll('tr.row')].map(r => r.parts.open.title)")
        )

    def column(self, place: int) -> list[str]:
        """Return a column's texts."""
        code = "return [...document.querySelectorAll('tr.row')].map(r => r.cells[arguments[0]]"
        return list(self.js(code + ".textContent)", place))

    def matches(self) -> str:
        """Return what is said about the filters' result."""
        return str(self.find("#matches").text)


def row(index: int, shown: str, share: float = 0.75) -> ClipResult:
    """Return a row with a label."""
    label = LABELS[0] if share >= 0.5 else LABELS[1]
    shares = (share, 1 - share)
    return ClipResult(index, shown, "ok", "tiny", label, max(shares), shares, 1 + index % 7)
