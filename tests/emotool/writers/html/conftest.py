"""A browser and a large report, for the tests of the report."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emotool.writers.registry import open_writer
from tests.emotool.writers.html.browser import (
    CHROMIUM,
    DRIVER,
    OPTIONS,
    TABLE,
    WITNESS,
    Page,
    row,
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Start Chromium, or skip."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs Selenium")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("needs Chromium and its chromedriver (apt-get install chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile = tmp_path_factory.mktemp("profile")
    for argument in (*OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    from selenium.webdriver.chrome.service import Service

    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WITNESS})
    yield Page(driver)
    driver.quit()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a report of 10,000 clips without sound."""
    path = tmp_path_factory.mktemp("large") / "r.html"
    with open_writer(str(path), TABLE, {"model": "tiny"}) as out:
        for index in range(10_000):
            share = (index * 7_919 % 10_000) / 10_000
            out.write(row(index, f"study/speaker {index // 100:03}/{index:05}.wav", share))
    return path
