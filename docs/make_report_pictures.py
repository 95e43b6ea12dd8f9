"""Draw docs/report_light.png and docs/report_dark.png: the report of the samples in a browser.

Needs Chromium, its chromedriver and the model that `emotool classify` takes by default, or another.

    python docs/make_report_pictures.py [MODEL]
"""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

ROOT = Path(__file__).resolve().parents[1]
SIZE = (1360, 940)
SHOWN_CLIP = "long.mp3"
MAX_BYTES = 300_000
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
OPEN = """
const [ending, done] = arguments;
(function open() {
  const rows = [...document.querySelectorAll("tr.row")];
  const row = rows.find((each) => each.parts.open.title.endsWith(ending));
  if (!row) return setTimeout(open, 50);
  row.click();
  document.activeElement.blur();
  setTimeout(done, 1000);
})();
"""


def browser(profile: str) -> Any:
    """Start Chromium without a window."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in (*OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


def photograph(driver: Any, report: Path, theme: str) -> bytes:
    """Return a PNG of the report, one clip opened."""
    feature = {"name": "prefers-color-scheme", "value": theme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    screen = {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    driver.get(report.as_uri())
    driver.execute_async_script(OPEN, SHOWN_CLIP)
    with Image.open(io.BytesIO(driver.get_screenshot_as_png())) as picture:
        small = io.BytesIO()
        picture.convert("RGB").quantize(192).save(small, "PNG", optimize=True)
    return small.getvalue()


def main() -> int:
    """Classify the samples, open the report and write both pictures."""
    model = sys.argv[1] if len(sys.argv) > 1 else "cnn"
    with tempfile.TemporaryDirectory() as name:
        report = Path(name) / "report.html"
        command = [sys.executable, "-m", "emotool", "classify", "samples/", "--model", model]
        subprocess.run([*command, "--quiet", "-o", str(report)], cwd=ROOT, check=True)
        driver = browser(str(Path(name) / "profile"))
        try:
            for theme in ("light", "dark"):
                picture = photograph(driver, report, theme)
                if len(picture) > MAX_BYTES:
                    raise SystemExit(
                        f"the picture of the {theme} report takes {len(picture)} bytes"
                    )
                (ROOT / "docs" / f"report_{theme}.png").write_bytes(picture)
        finally:
            driver.quit()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
