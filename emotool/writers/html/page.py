"""What is the same in every report: markup, style and script, and how data is put beside them.

Everything is in the page. Its content security policy lets only this very style and script run
(by their SHA-256) and lets nothing be fetched but data of the page and files beside it, so even a
mistake in escaping could not run or send anything.
"""

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Final

__all__ = ["foot", "head", "island", "script_json"]

_SCRIPTS: Final = (
    "data.js",
    "dimensions.js",
    "detail.js",
    "table.js",
    "filters.js",
    "review.js",
    "charts.js",
    "main.js",
)


def head() -> str:
    """Return the page up to where data begins."""
    style = _asset("page.css")
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_fingerprint(_script())}'",
            f"style-src '{_fingerprint(style)}'",
            # Files beside the page: 'self' where it is served, file: where it is opened.
            "img-src data: 'self' file:",
            "media-src data: 'self' file:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return _asset("page.html").replace("@policy@", policy).replace("@style@", style)


def foot() -> str:
    """Return the page from where data ends: the script that draws it."""
    return f"<script>{_script()}</script>\n</body>\n</html>\n"


def island(value: object, *, name: str = "", kind: str = "") -> str:
    r"""Return data as an element that is no script, whatever strings it holds.

    Parameters
    ----------
    value : object
        Anything that JSON can hold.
    name, kind : str
        The element's id and class, ours and without quotes.

    Examples
    --------
    >>> print(island(["</script>"], name="x"), end="")
    <script type="application/json" id="x">["\u003c/script\u003e"]</script>
    """
    attributes = f' id="{name}"' if name else f' class="{kind}"'
    return f'<script type="application/json"{attributes}>{script_json(value)}</script>\n'


def script_json(value: object) -> str:
    """Write JSON in ASCII without a character that means something to an HTML parser."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


@cache
def _script() -> str:
    # One scope of its own, and errors for what sloppy JavaScript would let pass.
    parts = "\n".join(_asset(name) for name in _SCRIPTS)
    return f'"use strict";\n(() => {{\n{parts}\n}})();\n'


def _fingerprint(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


@cache
def _asset(name: str) -> str:
    return files("emotool.writers.html").joinpath(name).read_text("utf-8")
