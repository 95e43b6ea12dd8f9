"""What is the same in every report: nothing foreign can run in it, nothing is fetched."""

import base64
import hashlib
import json
import re

from hypothesis import given
from hypothesis import strategies as st

from emotool.writers.html.page import foot, head, island, script_json


def sha256(text: str) -> str:
    """Return a fingerprint as content security policies write it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_policy_lets_only_the_pages_own_script_and_style_run() -> None:
    """The fingerprints are those of the very text between the tags."""
    start = head()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', start)
    style = re.search(r"<style>(.*?)</style>", start, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", foot(), re.DOTALL)
    assert policy and style and script
    assert f"script-src '{sha256(script[1])}'" in policy[1]
    assert f"style-src '{sha256(style[1])}'" in policy[1]
    assert policy[1].startswith("default-src 'none'")
    assert "unsafe" not in policy[1]
    assert "http" not in policy[1]


def test_page_names_no_address_of_the_network() -> None:
    """No picture, font, script or style comes from elsewhere; nothing is sent anywhere."""
    text = (head() + foot()).replace("http://www.w3.org/2000/svg", "")  # a name, not an address
    assert not re.search(r"https?:|//[a-z]+\.|@import|url\(|fetch\(|XMLHttp|WebSocket", text)


def test_script_makes_no_markup_of_strings() -> None:
    """Names can only become text: nothing in the script parses HTML or code."""
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function"
    assert not re.search(forbidden, foot())


@given(st.text())
def test_any_string_is_data_to_an_html_parser(text: str) -> None:
    """No string ends its element or begins a comment, and each is read back as it was."""
    written = script_json([text])
    assert written.isascii()
    assert not set("<>&") & set(written)
    assert json.loads(written) == [text]


def test_island_is_data() -> None:
    """Rows are elements that the browser does not run."""
    assert island([1], kind="rows") == '<script type="application/json" class="rows">[1]</script>\n'
