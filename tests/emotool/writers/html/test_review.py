"""Review in the report: labels by a person, samples, progress and the table downloaded."""

import csv
import io
import time
from pathlib import Path

import pytest

from emotool.inputs.corrections import read_corrections
from emotool.inputs.manifest import Manifest
from emotool.results.columns import Columns
from emotool.results.row import ClipResult
from emotool.writers.registry import open_writer
from tests.emotool.tiny_models import LABELS
from tests.emotool.writers.html.browser import LONG_TASK_MS, TABLE, Page, row

pytestmark = pytest.mark.browser

SHARES = (0.9, 0.51, 0.8, 0.3, 0.6)
NAMES = ("a.wav", "=b.wav", 'c "1", 2.wav', "d\u202e.wav", "e.wav")


@pytest.fixture
def report(page: Page, tmp_path: Path) -> Path:
    """Write a report of five clips and one that failed; the browser keeps no label of it."""
    path = write(tmp_path / "r.html")
    page.open(path)
    page.js("localStorage.clear()")
    return path


def write(path: Path, names: tuple[str, ...] = NAMES) -> Path:
    """Write a report and the row of a clip that failed behind it."""
    with open_writer(str(path), TABLE, {"model": "tiny", "started": str(path)}) as out:
        for index, (name, share) in enumerate(zip(names, SHARES, strict=True)):
            out.write(row(index, f"recs/{name}", share))
        out.write(ClipResult(len(names), "recs/f.wav", "failed", stage="decode", error="no sound"))
    return path


def press(page: Page, *keys: str) -> None:
    """Press keys one after the other, wherever the focus is."""
    for key in keys:
        page.driver.switch_to.active_element.send_keys(key)


def choose(page: Page, field: str, value: str) -> None:
    """Choose an option of a list."""
    code = "const f = document.getElementById(arguments[0]); f.value = arguments[1];"
    code += "f.dispatchEvent(new Event(f.type === 'number' ? 'input' : 'change', {bubbles: true}))"
    page.js(code, field, value)
    time.sleep(0.05)


def downloaded(page: Page, folder: Path) -> str:
    """Click the button and return the text of the file that the browser saves."""
    folder.mkdir(exist_ok=True)
    where = {"behavior": "allow", "downloadPath": str(folder)}
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", where)
    page.find("#download").click()
    page.until(lambda: (folder / "corrections.csv").exists())
    return (folder / "corrections.csv").read_text("utf-8")


def progress(page: Page) -> str:
    """Return what is said about how much is done."""
    return str(page.find("#progress-text").text)


def test_keys_give_labels_and_arrows_change_clips(page: Page, report: Path) -> None:
    """1 and 2 are the labels, 0 is none; what is given is shown, announced and can be removed."""
    from selenium.webdriver.common.keys import Keys

    page.open(report)
    assert progress(page) == "0 of 6 reviewed"
    assert not page.find("#download").is_enabled()
    press(page, "2")
    assert page.find("#said").get_attribute("role") == "status"
    said = page.js("return document.querySelector('#said').textContent")
    assert said == "a.wav: sad, 1 of 6 reviewed · 1 changed"
    pressed = "return [...document.querySelectorAll('.yours [aria-pressed=true]')]"
    pressed += ".map(b => b.dataset.label)"
    assert page.js(pressed) == ["sad"]
    assert page.column(1)[0] == "sad"
    press(page, Keys.ARROW_RIGHT)
    assert page.find("#detail h2").text == "=b.wav"
    said = page.js("return document.querySelector('#said').textContent")
    assert said == "clip 2 of 6: =b.wav, happy"
    assert page.js(pressed) == []
    press(page, "1", Keys.ARROW_RIGHT, "0")
    assert progress(page) == "3 of 6 reviewed · 1 changed · 1 cannot tell"
    press(page, "9")  # no such label
    assert page.js(pressed) == ["cannot tell"]
    press(page, Keys.BACKSPACE)
    assert progress(page) == "2 of 6 reviewed · 1 changed"
    press(page, Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert page.find("#detail h2").text == "a.wav"


def test_typing_and_sliders_keep_their_keys(page: Page, report: Path) -> None:
    """Digits in the search are searched for; without the tick no key gives a label."""
    from selenium.webdriver.common.keys import Keys

    page.open(report)
    page.find("#search").send_keys("21")
    page.until(lambda: progress(page) == "0 of 0 reviewed")
    page.js("document.activeElement.blur()")
    press(page, "1")  # the clip in view, though it is not in the table now
    assert progress(page) == "0 of 0 reviewed · 1 in the whole report"
    press(page, Keys.BACKSPACE)
    page.find("button[type=reset]").click()
    page.until(lambda: progress(page) == "0 of 6 reviewed")
    page.find("#keys").click()
    press(page, "2")
    assert progress(page) == "0 of 6 reviewed"
    press(page, Keys.ARROW_RIGHT)
    assert page.find("#detail h2").text == "=b.wav"


def test_clicks_give_labels_and_other_ones(page: Page, report: Path) -> None:
    """A label of one's own joins the others for every clip; what cannot be one is refused."""
    page.open(report)
    page.find(".yours [data-label=sad]").click()
    assert progress(page) == "1 of 6 reviewed · 1 changed"
    page.find(".another input").send_keys("calm\n")
    labels = (
        "return [...document.querySelectorAll('.yours [aria-pressed]')].map(b => b.textContent)"
    )
    assert page.js(labels) == ["1 happy", "2 sad", "3 calm", "0 cannot tell"]
    assert page.column(1)[0] == "calm"
    page.find(".another input").send_keys(" \n")
    said = "return document.querySelector('#said').textContent"
    assert page.js(said) == "This cannot be a label."
    page.find("[aria-label='Next clip']").click()
    assert page.js("return document.activeElement.getAttribute('aria-label')") == "Next clip"
    press(page, "3")
    assert progress(page) == "2 of 6 reviewed · 2 changed"
    page.find(".yours .remove").click()
    assert progress(page) == "1 of 6 reviewed · 1 changed"


def test_labels_stay_in_the_browser_for_the_same_run(page: Page, report: Path) -> None:
    """Wherever the page lies and whenever it was written; without any name of a file."""
    page.open(report)
    page.find(".another input").send_keys("calm\n")
    press_on_body(page, "2")
    kept = page.js("return JSON.stringify(Object.entries(localStorage))")
    assert "wav" not in kept
    assert "recs" not in kept
    again = write(report.with_name("again.html"))
    page.open(again)
    assert progress(page) == "1 of 6 reviewed · 1 changed"
    assert len(page.js("return [...document.querySelectorAll('.yours [aria-pressed]')]")) == 4
    other = write(report.with_name("other.html"), ("x.wav", *NAMES[1:]))
    page.open(other)
    assert progress(page) == "0 of 6 reviewed"
    page.open(report)
    page.js("window.confirm = () => true; document.querySelector('#forget').click()")
    assert progress(page) == "0 of 6 reviewed"


def press_on_body(page: Page, *keys: str) -> None:
    """Press keys while nothing has the focus."""
    page.js("document.activeElement.blur()")
    press(page, *keys)


def reopened_with(page: Page, report: Path, wanted: str) -> None:
    """Open a page until it shows what was stored: Chromium stores it a moment later."""

    def shown() -> bool:
        page.open(report)
        return progress(page) == wanted

    page.until(shown)


def test_storage_of_others_is_checked(page: Page, report: Path) -> None:
    """Rows that are not there, labels that are none and times that are none are left out."""
    page.open(report)
    code = """
        const key = "emotool review " + JSON.parse(document.querySelector("#identity").textContent);
        const time = "2026-01-02T03:04:05Z";
        localStorage.setItem(key, JSON.stringify({ labels: ["x".repeat(65), 5, "\\u202e", "fine"],
          rows: { 0: ["fine", time], 1: ["", time], 2: ["sad", "=cmd"], 99: ["sad", time],
            length: ["sad", time] } }));
    """
    page.js(code)
    reopened_with(page, report, "1 of 6 reviewed · 1 changed")
    page.js("for (const key of Object.keys(localStorage)) localStorage.setItem(key, '{')")
    reopened_with(page, report, "0 of 6 reviewed")
    assert page.find("#unkept").is_displayed()


def test_table_is_downloaded_and_read_back(page: Page, report: Path, tmp_path: Path) -> None:
    """Formula-safe, quoted, with paths as tables have them; emotool finds the clips by it."""
    from selenium.webdriver.common.keys import Keys

    page.open(report)
    page.find(".another input").send_keys("@calm\n")
    page.js("document.activeElement.blur()")
    for key in ("2", "1", "0", "2"):
        press(page, key, Keys.ARROW_RIGHT)
    text = downloaded(page, tmp_path / "downloads")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["path", "label", "correction", "confidence", "when"]
    assert [line[:4] for line in rows[1:]] == [
        ["recs/a.wav", "happy", "sad", "0.900000"],
        ["recs/=b.wav", "happy", "happy", "0.510000"],
        ['recs/c "1", 2.wav', "happy", "cannot tell", "0.800000"],
        ["recs/d\u202e.wav", "sad", "sad", "0.700000"],
    ]
    assert all(len(line[4]) == 20 for line in rows[1:])
    (tmp_path / "moved").mkdir()
    for name in NAMES:
        (tmp_path / "moved" / name).write_bytes(b"sound")
    found = read_corrections(
        str(tmp_path / "downloads" / "corrections.csv"), str(tmp_path / "moved")
    )
    assert [one.correction for one in found.usable] == ["sad", "happy", "sad"]
    assert len(found.undecided) == 1
    assert not found.lost


def test_formulas_are_escaped_and_speakers_come_along(page: Page, tmp_path: Path) -> None:
    """A path or a label that begins like a formula has an apostrophe before it."""
    cells = [("Ann", "x"), ("=1", "y")]
    table = Columns(LABELS, manifest=Manifest("m.csv", ("Speaker", "n"), cells, 0))
    with open_writer(str(tmp_path / "r.html"), table, {"model": "tiny"}) as out:
        out.write(row(0, "=cmd.wav"))
        out.write(row(1, "+b.wav").uncertain_below(0.99))
    page.open(tmp_path / "r.html")
    page.find(".another input").send_keys("-calm\n")
    page.find("[aria-label='Next clip']").click()
    press(page, "1")
    lines = downloaded(page, tmp_path / "d").splitlines()
    assert lines[0].endswith(",when,speaker")
    first, second = (line.split(",") for line in lines[1:])
    assert (first[:3], first[-1]) == (["'=cmd.wav", "happy", "'-calm"], "Ann")
    assert (second[:3], second[-1]) == (["'+b.wav", "uncertain", "happy"], "'=1")


def test_samples_are_drawn_by_the_runs_identity(page: Page, large: Path) -> None:
    """The same clips whenever the page is opened, of each label as many, the doubtful first."""
    page.open(large)
    from selenium.webdriver.support.ui import Select

    assert not page.find("#number").is_displayed()
    assert [option.text for option in Select(page.find("#sample")).options] == [
        "all clips",
        "most doubtful first",
        "random sample",
        "sample of each label",
    ]
    Select(page.find("#sample")).select_by_value("random")
    page.until(lambda: page.matches() != "10,000 clips")
    assert page.matches() == "40 of 10,000 clips"
    first = page.names()
    assert first == sorted(first)
    places = [int(name[-9:-4]) for name in first]
    assert max(places) - min(places) > 5_000
    choose(page, "number", "20")
    assert page.matches() == "20 of 10,000 clips"
    first = page.names()
    choose(page, "number", "7")
    assert len(page.names()) == 7
    assert set(page.names()) < set(first)
    page.open(large)
    choose(page, "sample", "random")
    choose(page, "number", "20")
    assert page.names() == first
    choose(page, "number", "40")
    choose(page, "sample", "each")
    assert page.matches() == "80 of 10,000 clips"
    assert progress(page) == "0 of 80 reviewed"
    choose(page, "label", "1")
    assert page.matches() == "40 of 10,000 clips"
    page.find("button[type=reset]").click()
    page.until(lambda: page.matches() == "10,000 clips")
    choose(page, "sample", "doubtful")
    shares = [int(text.removesuffix(" %")) for text in page.column(2)]
    assert shares == sorted(shares)
    assert shares[0] == 50
    assert page.find("th[data-key=confidence]").get_attribute("aria-sort") == "ascending"
    choose(page, "sample", "")
    assert page.find("th[data-key=file]").get_attribute("aria-sort") == "ascending"


def test_filters_know_what_is_reviewed(page: Page, report: Path) -> None:
    """What is open, done or changed; a row stays in sight while it is being labelled."""
    from selenium.webdriver.common.keys import Keys

    page.open(report)
    choose(page, "status", "yours open")
    press(page, "2", Keys.ARROW_RIGHT, "1")
    assert page.matches() == "6 clips"
    choose(page, "status", "yours done")
    assert [name[-5:] for name in page.names()] == ["a.wav", "b.wav"]
    choose(page, "status", "yours changed")
    assert page.names() == ["recs/a.wav"]
    choose(page, "status", "yours open")
    assert len(page.names()) == 4
    assert progress(page) == "0 of 4 reviewed · 2 in the whole report"


def test_labelling_is_quick_at_ten_thousand_rows(page: Page, large: Path) -> None:
    """No key press or sample blocks the page for 200 ms; the best of five tries counts."""
    code = """
        const done = arguments[0];
        let steps = 0;
        (function step() {
          const keys = ["1", "2", "ArrowRight"];
          document.body.dispatchEvent(new KeyboardEvent("keydown", {key: keys[steps % 3],
            bubbles: true}));
          if (++steps < 60) setTimeout(step); else done();
        })();
    """
    tries: list[float] = []
    for _ in range(5):
        page.open(large)
        page.js("window.longest = 0")
        page.driver.execute_async_script(code)
        for kind in ("random", "each", "doubtful"):
            choose(page, "sample", kind)
        time.sleep(0.2)
        tries.append(page.js("return window.longest"))
        if tries[-1] < LONG_TASK_MS:
            return
    pytest.fail(f"longest tasks in ms: {tries}")


def test_tabs_with_one_report_share_their_labels(page: Page, report: Path) -> None:
    """What one gives is in the other, and neither overwrites it."""
    page.open(report)
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    try:
        page.open(report)
        press(page, "2")
    finally:
        page.driver.close()
        page.driver.switch_to.window(first)
    page.until(lambda: progress(page) == "1 of 6 reviewed · 1 changed")
