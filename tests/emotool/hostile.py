"""Results as hostile as strangers can make them, for tests of everything that shows them."""

from hypothesis import strategies as st

from emotool.results.row import ClipResult

NAMES = (
    "plain.wav",
    "a, b.wav",
    'say "no".wav',
    "line\nbreak.wav",
    "carriage\rreturn.wav",
    "crlf\r\n.wav",
    "tab\t.wav",
    "semi;colon.wav",
    "=cmd|' /C calc'!A0.wav",
    "+1.wav",
    "-1.wav",
    "@SUM(A1).wav",
    "\t=1.wav",
    "\r=1.wav",
    "'quoted'.wav",
    "a[/b].wav",
    "[bold red]x[/].wav",
    "[link=file:///etc/passwd]x[/link].wav",
    "\x1b[31mred\x1b[0m.wav",
    "\x1b]0;title\x07.wav",
    "bell\x07\x08.wav",
    "\x9b31m.wav",
    "rtl\u202egnp.wav",
    "\ud83d\ude00.wav".encode("utf-16", "surrogatepass").decode("utf-16"),
    "caf\udce9.wav",
    "\udcff\udcfe",
    "a\u0308.wav",
    "\u00e4.wav",
    "日本語.wav",
    "\ufeffbom.wav",
    "<script>alert(1)</script>.wav",
    "x" * 255,
    " ",
)
"""File names that have broken tables, terminals, spreadsheets or pages."""

_characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_surrogate_bytes = st.integers(0x80, 0xFF).map(lambda byte: chr(0xDC00 + byte))

names = st.sampled_from(NAMES) | st.text(_characters | _surrogate_bytes, min_size=1, max_size=40)
texts = st.text(_characters, max_size=40)
_shares = st.floats(0, 1)


@st.composite
def results(draw: st.DrawFn, n_labels: int = 2, labels: tuple[str, ...] = ("a", "b")) -> ClipResult:
    """Draw a result of any status with a hostile name."""
    status = draw(st.sampled_from(("ok", "silent", "too_short", "failed")))
    common = {
        "index": draw(st.integers(0, 10**6)),
        "shown": draw(names),
        "model": draw(texts),
        "flags": tuple(draw(st.lists(st.sampled_from(("clipped", "long")), unique=True))),
        "duration_s": draw(st.none() | st.floats(0, 1e6)),
    }
    if status == "ok":
        probabilities = tuple(draw(st.lists(_shares, min_size=n_labels, max_size=n_labels)))
        best = max(probabilities)
        label = labels[probabilities.index(best)]
        return ClipResult(
            status="ok", label=label, confidence=best, probabilities=probabilities, **common
        )
    stage = draw(st.sampled_from(("open", "decode"))) if status == "failed" else ""
    return ClipResult(status=status, stage=stage, error=draw(texts), **common)
