"""The report in a real browser: headless Chromium, driven by Selenium."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from emotool.inputs.clips import Clip
from emotool.inputs.manifest import Manifest
from emotool.model.classifier import load_classifier
from emotool.results.columns import Columns
from emotool.results.row import DOUBTS, ClipResult
from emotool.writers.base import Sources, WriterOptions
from emotool.writers.html import writer as report
from emotool.writers.registry import open_writer
from emotool_training.adopting.adopt import Wishes, adopt
from tests.emotool.tiny_models import LABELS, write_tiny_model
from tests.emotool.writers.html.browser import LONG_TASK_MS, TABLE, Page, row
from tests.published_models import Kind, write_published
from tests.synthesis import vowel, write_clip

pytestmark = pytest.mark.browser

HOSTILE = (
    "<img src=x onerror=alert(1)>.wav",
    "</script><script>alert(1)</script>.wav",
    '"onmouseover="alert(1)" x=".wav',
    "{{constructor.constructor('alert(1)')()}}.wav",
    "javascript:alert(1)/a.wav",
)


@pytest.fixture(scope="module")
def sounding(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sources]:
    """Return a folder, and clips with a model that heard them."""
    folder = tmp_path_factory.mktemp("sounding")
    clip = write_clip(folder / "clip.wav", vowel(seconds=2))
    classifier = load_classifier(write_tiny_model(folder / "tiny.onnx"))
    clips = [Clip(i, name, str(clip)) for i, name in enumerate(("a.wav", "b.wav", *HOSTILE))]
    return folder, Sources(clips, classifier)


def write_sounding(path: Path, sources: Sources) -> None:
    """Write a report with sounds and pictures, and one clip that failed."""
    with open_writer(str(path), TABLE, {"model": "tiny"}, WriterOptions(sources=sources)) as out:
        for clip in sources.clips:
            if clip.index == 1:
                out.write(ClipResult(1, clip.shown, "failed", stage="decode", error="no sound"))
            else:
                out.write(row(clip.index, clip.shown, (clip.index + 1) / 10))


@pytest.mark.parametrize("inside", [True, False], ids=["inside", "beside"])
def test_clip_can_be_heard_and_seen(
    page: Page,
    sounding: tuple[Path, Sources],
    inside: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A click on a row gives a player that plays, a spectrogram and the evidence over it."""
    folder, sources = sounding
    monkeypatch.setattr(report, "MAX_INSIDE", 500 if inside else 0)
    path = folder / f"{inside} %20.html"
    write_sounding(path, sources)
    page.open(path)
    page.find("tr.row:nth-child(2)").click()
    audio = "const a = document.querySelector('audio'); return "
    page.until(lambda: page.js(audio + "a.readyState > 0"))
    assert page.js(audio + "a.duration") == pytest.approx(2, abs=0.15)
    page.js("document.querySelector('audio').muted = true; document.querySelector('audio').play()")
    page.until(lambda: page.js(audio + "a.currentTime > 0.2"))
    assert not page.js("return document.querySelector('.picture .head').hidden")
    sizes = page.js(
        "return [...document.querySelectorAll('.picture img')].map(i => i.naturalWidth)"
    )
    assert len(sizes) == 2
    assert min(sizes) > 0
    assert page.js("return refused") == []


def test_clip_whose_sound_has_gone_is_shown_without(
    page: Page, sounding: tuple[Path, Sources]
) -> None:
    """A file that vanished after its label was known says why it is mute, as does the next."""
    folder, sources = sounding
    clips = [Clip(index, f"{index}.wav", str(folder / "gone.wav")) for index in range(2)]
    options = WriterOptions(sources=Sources(clips, sources.classifier))
    with open_writer(str(folder / "gone.html"), TABLE, {}, options) as out:
        for clip in clips:
            out.write(row(clip.index, clip.shown))
    page.open(folder / "gone.html")
    for name in ("0.wav", "1.wav"):
        assert page.find("#detail h2").text == name
        shown = page.find("#detail").text
        assert "Cannot be played: " in shown
        assert "75.0 %" in shown
        page.find("#detail [aria-label='Next clip']").click()


def test_jumps_in_a_sound_cost_no_frames(page: Page, sounding: tuple[Path, Sources]) -> None:
    """However often one seeks, a frame is drawn once; none is when the clip is left."""
    folder, sources = sounding
    write_sounding(folder / "seeking.html", sources)
    page.open(folder / "seeking.html")
    page.find("tr.row:nth-child(2)").click()  # nothing may sound before somebody has clicked
    page.js("""
        window.asked = 0;
        const ask = requestAnimationFrame;
        window.requestAnimationFrame = (draw) => { asked++; return ask(draw); };
        window.frames10 = (done) => {
          let frames = 0;
          asked = 0;
          ask(function next() { if (++frames < 10) ask(next); else done(asked); });
        };
    """)
    seek = """
        const done = arguments[0], audio = document.querySelector("audio");
        audio.muted = true;
        audio.play().then(async () => {
          for (let i = 0; i < 20; i++) {
            audio.currentTime = i / 100;
            await new Promise((go) => audio.addEventListener("seeked", go, { once: true }));
          }
          frames10((number) => done([number, audio.paused]));
        });
    """
    asked, paused = page.driver.execute_async_script(seek)
    assert not paused
    assert asked <= 12
    page.find("#detail [aria-label='Next clip']").click()
    time.sleep(0.2)
    assert page.driver.execute_async_script("frames10(arguments[0])") == 0


def test_hostile_names_run_nothing(page: Page, sounding: tuple[Path, Sources]) -> None:
    """Names that are markup, scripts and templates are shown as they are."""
    folder, sources = sounding
    write_sounding(folder / "hostile.html", sources)
    page.open(folder / "hostile.html")
    assert set(HOSTILE) < set(page.names())
    for place in range(len(sources.clips)):
        page.js("document.querySelectorAll('tr.row')[arguments[0]].click()", place)
        page.until(lambda: page.js("return document.querySelector('#detail h2') !== null"))
    time.sleep(0.2)
    assert page.js("return window.attacked") is None
    assert page.js("return refused") == []  # it was never even tried
    assert page.js("return document.querySelectorAll('script:not([type])').length") == 1


def test_nothing_is_asked_of_a_network(page: Page, sounding: tuple[Path, Sources]) -> None:
    """Everything the page has taken came with it; what it might be made to ask is refused."""
    folder, sources = sounding
    write_sounding(folder / "quiet.html", sources)
    page.open(folder / "quiet.html")
    names = page.js("return performance.getEntriesByType('resource').map(e => e.name)")
    assert all(name.startswith("data:") for name in names)
    page.js("const i = new Image(); i.src = 'http://127.0.0.1:9/leak'; document.body.append(i)")
    page.until(lambda: page.js("return refused.length"))


def test_columns_sort_both_ways(page: Page, large: Path) -> None:
    """A click on a heading sorts, another turns it round, and a screen reader is told."""
    page.open(large)
    head = page.find("th[data-key=confidence]")
    head.find_element("css selector", "button").click()
    assert head.get_attribute("aria-sort") == "descending"
    shown = [int(text.removesuffix(" %")) for text in page.column(2)]
    assert shown == sorted(shown, reverse=True)
    assert shown[0] == 100
    head.find_element("css selector", "button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert page.column(2)[0] == "50 %"
    assert page.find("th[data-key=file]").get_attribute("aria-sort") is None


def test_failed_clips_sort_last_either_way(page: Page, sounding: tuple[Path, Sources]) -> None:
    """What has no confidence is neither the surest nor the least sure."""
    folder, sources = sounding
    write_sounding(folder / "sorted.html", sources)
    page.open(folder / "sorted.html")
    for _ in range(2):
        page.find("th[data-key=confidence] button").click()
        assert page.names()[-1] == "b.wav"


def test_uncertain_clips_are_called_so_and_keep_their_probabilities(
    page: Page, sounding: tuple[Path, Sources]
) -> None:
    """In the table, in the charts and in the clip's own pane, in no label's colour."""
    path = sounding[0] / "uncertain.html"
    with open_writer(str(path), TABLE, {"model": "tiny"}) as out:
        out.write(row(0, "sure.wav", 0.9).uncertain_below(0.7))
        out.write(row(1, "unsure.wav", 0.6).uncertain_below(0.7))
    page.open(path)
    assert page.column(1) == [LABELS[0], "uncertain"]
    drawn = "return [...document.querySelectorAll(arguments[0])].map(e => getComputedStyle(e).fill)"
    bars = page.js(drawn, "#labels-chart .fill")
    assert len(set(bars)) == len(LABELS) + 1
    assert set(page.js(drawn, "#confidence-chart .fill")) == {bars[0], bars[-1]}
    shade = "return getComputedStyle(document.querySelectorAll('tr.row .level i')[1])"
    assert page.js(shade + ".backgroundColor") == bars[-1]
    assert "75 %" in page.find("#figures").text  # the mean of both
    page.js("document.querySelectorAll('#labels-chart .bar')[2].dispatchEvent(new Event('click'))")
    assert page.names() == ["unsure.wav"]
    page.find("button[type=reset]").click()
    page.until(lambda: len(page.names()) == 2)
    page.js("document.querySelectorAll('tr.row')[1].parts.open.click()")
    shown = page.until(lambda: page.find("#detail").text)
    assert "uncertain" in shown
    assert "60" in shown


def test_doubts_are_told_in_words_beside_the_label(page: Page, tmp_path: Path) -> None:
    """Every flag that says not to trust a label says why, and those of channels what was done."""
    with open_writer(str(tmp_path / "r.html"), TABLE, {"model": "tiny"}) as out:
        out.write(replace(row(0, "a.wav"), flags=(*DOUBTS, "long")))
        out.write(replace(row(1, "b.wav"), flags=("one_channel", "dc_offset")))
    page.open(tmp_path / "r.html")
    words = page.find("#detail .doubt").text
    assert words.startswith("Doubtful label: ")
    assert words.count(";") == len(DOUBTS) - 1
    assert page.find("#detail .doubt + p").text == "long"
    page.find("#detail [aria-label='Next clip']").click()
    assert not page.js("return document.querySelector('#detail .doubt')")
    found = page.find("#detail .muted ~ .muted").text
    assert "the loudest one is labelled" in found
    assert "offset was removed" in found


def test_a_manifests_columns_are_shown_and_searched(page: Page, tmp_path: Path) -> None:
    """With the clip that is chosen, as text whatever they hold."""
    cells = [("Ann", HOSTILE[0]), ("Berta", HOSTILE[1])]
    table = Columns(LABELS, manifest=Manifest("m.csv", ("speaker", "<b>x"), cells, 0))
    with open_writer(str(tmp_path / "r.html"), table, {"model": "tiny"}) as out:
        for index in range(2):
            out.write(row(index, f"{index}.wav"))
    page.open(tmp_path / "r.html")
    page.find("#search").send_keys("bert")
    page.until(lambda: page.names() == ["1.wav"])
    page.find("tr.row button").click()
    shown = page.js("return [...document.querySelectorAll('.kept > *')].map(e => e.textContent)")
    assert shown == ["speaker", "Berta", "<b>x", HOSTILE[1]]
    assert not page.js("return window.attacked")


def test_filters_and_search_narrow_the_table(page: Page, large: Path) -> None:
    """Words may stand anywhere in the path; the number of matches is said aloud."""
    page.open(large)
    assert page.matches() == "10,000 clips"
    page.find("#search").send_keys("SPEAKER 42.wav")
    page.until(lambda: page.matches() != "10,000 clips")
    assert all("42.wav" in name for name in page.names())
    page.js("document.querySelector('#label').value = '1'")
    page.js("document.querySelector('#label').dispatchEvent(new Event('input', {bubbles: true}))")
    page.until(lambda: set(page.column(1)) == {"sad"})
    assert page.find("#matches").get_attribute("role") == "status"
    page.find("#search").send_keys(" no such clip")
    page.until(lambda: page.matches() == "none of 10,000 clips")
    page.find("button[type=reset]").click()
    page.until(lambda: page.matches() == "10,000 clips")


def test_bar_of_a_chart_filters(page: Page, large: Path) -> None:
    """A click on a label's bar shows its clips, another shows all again."""
    page.open(large)
    code = "document.querySelectorAll('#labels-chart .bar')[1].dispatchEvent(new Event('click'))"
    page.js(code)
    assert page.matches() == "5,000 of 10,000 clips"
    page.js(code)
    assert page.matches() == "10,000 clips"


def test_decomposed_names_are_found_as_they_are_typed(page: Page, tmp_path: Path) -> None:
    """A Mac writes a letter and its mark one after the other, keyboards as one character."""
    with open_writer(str(tmp_path / "r.html"), TABLE, {"model": "tiny"}) as out:
        for index, name in enumerate(("Mu\u0308ller.wav", "M\u00fcller.wav", "Muller.wav")):
            out.write(row(index, name))
    page.open(tmp_path / "r.html")
    for typed in ("m\u00fcller", "mu\u0308ller"):
        page.find("#search").send_keys(typed)
        page.until(lambda: page.matches() == "2 of 3 clips")
        page.find("button[type=reset]").click()
        page.until(lambda: page.matches() == "3 clips")


def test_bars_of_one_chart_take_turns(page: Page, tmp_path: Path) -> None:
    """No clip has a label and is uncertain: the bar clicked last says which are shown."""
    with open_writer(str(tmp_path / "r.html"), TABLE, {"model": "tiny"}) as out:
        out.write(replace(row(0, "long.wav", 0.9), flags=("long",)))
        out.write(row(1, "short.wav", 0.9))
        out.write(row(2, "unsure.wav", 0.6).uncertain_below(0.7))
    page.open(tmp_path / "r.html")
    code = "document.querySelectorAll('#labels-chart .bar')[arguments[0]]"
    sure = ["long.wav", "short.wav"]
    for bar, names in [(0, sure), (2, ["unsure.wav"]), (0, sure)]:
        page.js(code + ".dispatchEvent(new Event('click'))", bar)
        assert page.names() == names
    page.js(code + ".dispatchEvent(new Event('click'))", 0)
    assert page.matches() == "3 clips"
    page.js("document.querySelector('#status').value = 'has long'")
    page.js(code + ".dispatchEvent(new Event('click'))", 0)
    assert page.names() == ["long.wav"]  # a flag is asked for beside a label


def test_keyboard_alone_goes_through_the_table(page: Page, large: Path) -> None:
    """Arrow keys move and open, End goes to the last of ten thousand, focus stays on the row."""
    from selenium.webdriver.common.keys import Keys

    page.open(large)
    page.find("#search").send_keys(Keys.ARROW_DOWN)
    focused = "return document.activeElement.title"
    assert page.js(focused) == "study/speaker 000/00000.wav"
    for key, name in [
        (Keys.ARROW_DOWN, "study/speaker 000/00001.wav"),
        (Keys.END, "study/speaker 099/09999.wav"),
        (Keys.ARROW_UP, "study/speaker 099/09998.wav"),
        (Keys.HOME, "study/speaker 000/00000.wav"),
    ]:
        page.driver.switch_to.active_element.send_keys(key)
        page.until(lambda name=name: page.js(focused) == name)
        assert page.find("#detail h2").text == name.rsplit("/", 1)[1]
        assert page.js("return document.activeElement.getAttribute('aria-current')") == "true"


def test_tab_always_leads_into_the_table(page: Page, large: Path) -> None:
    """To the chosen row; to the first in sight where sorting or scrolling has taken it away."""
    from selenium.webdriver.common.keys import Keys

    page.open(large)
    last_head = page.find("th[data-key=remarks] button")
    place = "return document.activeElement.closest('tr.row')?.place"
    last_head.send_keys(Keys.TAB)
    assert page.js(place) == 0
    page.driver.switch_to.active_element.send_keys(Keys.END)
    page.until(lambda: page.js(place) == 9_999)
    last_head.send_keys(Keys.TAB)
    assert page.js(place) == 9_999
    page.find("th[data-key=confidence] button").send_keys(Keys.ENTER)
    last_head.send_keys(Keys.TAB)
    assert page.js(place) == 0
    page.js("document.querySelector('#scroll').scrollTop = 200001")
    page.until(lambda: page.js("return document.querySelector('tr.row').place") == 4_990)
    last_head.send_keys(Keys.TAB)
    assert page.js(place) == 5_001


def test_table_says_how_large_it_is(page: Page, large: Path) -> None:
    """A screen reader hears of all rows, though only those in sight are there."""
    page.open(large)
    assert page.find("#table").get_attribute("aria-rowcount") == "10001"
    assert len(page.names()) < 100
    page.js("document.querySelector('#scroll').scrollTop = 200000")
    page.until(lambda: "study/speaker 050/05000.wav" in page.names())
    index = page.js("return document.querySelectorAll('tr.row')[3].getAttribute('aria-rowindex')")
    assert page.names()[3].endswith(f"{int(index) - 2:05}.wav")
    unnamed = "return [...document.querySelectorAll('button, input, select')].filter(e =>"
    unnamed += " !e.textContent && !e.labels?.length && !e.getAttribute('aria-label')).length"
    assert page.js(unnamed) == 0


def test_no_task_takes_long_at_ten_thousand_rows(page: Page, large: Path) -> None:
    """Opening, sorting, searching and scrolling never block the page for 200 ms.

    Other work on the machine lengthens tasks: the best of five tries counts.
    """
    scroll = """
        const done = arguments[0], box = document.querySelector("#scroll");
        let steps = 0;
        (function step() {
          box.scrollTop += 4001;
          if (++steps < 30) requestAnimationFrame(step); else done();
        })();
    """
    tries = []
    for _ in range(5):
        page.open(large)
        for key in ("label", "confidence", "duration", "file"):
            page.js("document.querySelector(`th[data-key=${arguments[0]}] button`).click()", key)
            time.sleep(0.05)
        page.find("#search").send_keys("9")
        page.until(lambda: page.matches() != "10,000 clips")
        page.find("button[type=reset]").click()
        page.driver.execute_async_script(scroll)
        time.sleep(0.2)
        tries.append(page.js("return window.longest"))
        if tries[-1] < LONG_TASK_MS:
            return
    pytest.fail(f"longest tasks in ms: {tries}")


def test_dark_and_light_follow_the_system_and_the_button(page: Page, large: Path) -> None:
    """Text stands out by 4.5 to 1 or more (WCAG 2.2, 1.4.3) in both."""
    shade = "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"

    def contrast() -> float:
        lights = []
        for text in page.js(shade):
            parts = [int(part) / 255 for part in text[4:-1].split(",")]
            linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
            lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
        return (max(lights) + 0.05) / (min(lights) + 0.05)

    backgrounds = []
    for theme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": theme}
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        page.open(large)
        backgrounds.append(page.js(shade)[1])
        assert contrast() > 4.5
    page.find("#theme").click()
    assert page.js(shade)[1] == backgrounds[0] != backgrounds[1]


@pytest.mark.parametrize(("width", "fits"), [(1400, True), (500, False)])
def test_file_names_are_readable_beside_four_numbers(
    page: Page, tmp_path: Path, width: int, fits: bool
) -> None:
    """File keeps its width: the table scrolls sideways where there is no room, the page never."""
    names = ["arousal", "dominance", "valence", "intensity"]
    table = Columns([], dimensions=names)
    with open_writer(str(tmp_path / "r.html"), table, {"model": "adv"}) as out:
        numbers = (0.1, 0.2, 0.3, 0.4)
        flags = (DOUBTS[0],)
        out.write(ClipResult(0, "a.wav", "ok", "adv", dimensions=numbers, flags=flags))
    page.driver.set_window_size(width, 1000)
    try:
        page.open(tmp_path / "r.html")
        assert page.js("return document.querySelector('th').offsetWidth") >= 9 * 16 - 1
        inside = "const one = document.querySelector(arguments[0]); "
        inside += "return one.scrollWidth <= one.clientWidth"
        assert page.js(inside, "#scroll") is fits
        assert page.js(inside, "html")
        page.find("th:nth-child(3) button").click()
        assert page.js(inside, "th:nth-child(3) button")  # dominance and the arrow, in full
        assert page.find("#detail .doubt").text.startswith("Doubtful numbers: ")
    finally:
        page.driver.set_window_size(1400, 1000)


def test_numbers_have_columns_a_scatter_that_selects_and_a_distribution(
    page: Page, tmp_path: Path
) -> None:
    """A model without labels has no label colours; an area of the scatter filters the table."""
    table = Columns([], dimensions=["arousal", "valence"])
    with open_writer(str(tmp_path / "r.html"), table, {"model": "adv"}) as out:
        for place in range(20):
            numbers = (place / 20, 1 - place / 20)
            out.write(ClipResult(place, f"{place:02}.wav", "ok", "adv", dimensions=numbers))
        out.write(ClipResult(20, "bad.wav", "failed", "adv", stage="decode", error="no sound"))
    page.open(tmp_path / "r.html")
    heads = page.js("return [...document.querySelectorAll('th')].map(h => h.textContent)")
    assert heads == ["File", "arousal", "valence", "Length", "Flags"]
    assert page.find("tr.row:nth-child(3) td:nth-child(2)").text == "0.050"
    assert not page.find("#review").is_displayed()
    assert page.js("return document.querySelectorAll('#confidence-chart rect').length") == 40
    assert page.find("#detail .answer").text == "arousal 0.000 · valence 1.000"
    page.js("""
        const plot = document.querySelector(".scatter"), box = plot.getBoundingClientRect();
        const at = (type, x, y) => plot.dispatchEvent(new PointerEvent(type, { pointerId: 1,
          bubbles: true, clientX: box.left + x * box.width, clientY: box.top + y * box.height }));
        plot.setPointerCapture = () => {};
        at("pointerdown", 0.5, 0.4); at("pointermove", 0.8, 0.9); at("pointerup", 1, 1);
    """)
    page.until(lambda: page.find("#matches").text == "10 of 21 clips")
    assert page.names()[0] == "10.wav"
    page.js("document.querySelector('#filters [type=reset]').click()")
    page.until(lambda: page.find("#matches").text == "21 clips")
    page.js("document.querySelector('th[data-key=\"number 1\"] button').click()")
    page.until(lambda: page.names()[0] == "00.wav")
    assert page.js("return refused") == []


def test_numbers_are_drawn_over_time(page: Page, tmp_path: Path) -> None:
    """Each dimension has a drawing with a step for each window."""
    folder = write_published(tmp_path / "published", Kind(regression=True))
    model = adopt(folder, tmp_path, Wishes("mine", window_seconds=0.5)).path
    classifier = load_classifier(model)
    clip = write_clip(tmp_path / "clip.wav", vowel(seconds=2))
    sources = Sources([Clip(0, "clip.wav", str(clip))], classifier)
    table = Columns([], dimensions=classifier.dimensions)
    path = tmp_path / "r.html"
    with open_writer(str(path), table, {}, WriterOptions(sources=sources)) as out:
        out.write(ClipResult(0, "clip.wav", "ok", "mine", dimensions=(0.25, 0.5), duration_s=2.0))
    page.open(path)
    titles = page.js("return [...document.querySelectorAll('#detail h3')].map(h => h.textContent)")
    assert titles == ["Dimensions", "arousal over time", "valence over time"]
    steps = page.js("return document.querySelector('#detail path.stroke').getAttribute('d')")
    assert steps.count("M") >= 3
    assert page.js("return refused") == []
