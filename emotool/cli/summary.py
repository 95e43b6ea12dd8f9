"""What a run did, on one screen of stderr: labels, failures with reasons, speed.

File names and labels are untrusted. They are shown as `rich.text.Text` of their
`printable` form, so that neither markup nor control characters in them are obeyed. Lines are
laid out by hand rather than by a table, which would pad each with spaces: the summary also
ends up in log files.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from emotool.text import printable

if TYPE_CHECKING:
    from emotool.results.tally import RunSummary

__all__ = ["print_summary", "summary_lines"]

_SHOWN_FAILURES = 10
_MAX_BAR = 40
_STATUS_NAMES = {"silent": "silent", "too_short": "too short", "failed": "failed"}
_LABEL_STYLES = ("cyan", "magenta", "yellow", "green", "blue", "red")


def print_summary(run: "RunSummary", console: Console | None = None) -> None:
    """Show what a run did.

    Parameters
    ----------
    run : RunSummary
        The finished run.
    console : rich.console.Console, optional
        Where to show it; standard error if not given.
    """
    console = console or Console(stderr=True)
    full_bar = "█" if console.encoding.lower().startswith("utf") else "#"
    for line in summary_lines(run, console.width, full_bar):
        console.print(line, highlight=False, overflow="fold")


def summary_lines(run: "RunSummary", width: int = 80, full_bar: str = "█") -> Iterator[Text]:
    """Lay out what a run did for a width of so many terminal cells.

    Yields
    ------
    rich.text.Text
        One line each; only the headline and the last, plain notes may be longer than ``width``.
    """
    yield _headline(run)
    if any(run.labels.values()):
        yield Text()
        yield from _labels(run, width, full_bar)
    if run.dimensions and run.statuses.get("ok"):
        yield Text()
        yield from _dimensions(run)
    if len(others := _others(run)):
        yield Text()
        yield others
    if run.statuses.get("failed", 0):
        yield from _failures(run, width)
    notes = list(_notes(run))
    if notes:
        yield Text()
    yield from notes


def _headline(run: "RunSummary") -> Text:
    worked = 0 if run.parts else run.clips - run.resumed - run.unchanged
    parts = [f"{_count(run.clips, 'clip')} in {_duration(run.seconds)}"]
    if run.parts:
        parts = [f"{_count(run.clips, 'clip')} of {_count(run.parts, 'part')}"]
    if run.seconds > 0 and worked:
        parts.append(f"{worked / run.seconds:,.1f} clips/s")
        # Sound that was worked through by an earlier run does not count for this one's speed.
        if run.audio_seconds and not run.resumed and not run.unchanged:
            parts.append(f"{run.audio_seconds / run.seconds:,.0f}× real time")
    parts.append(f"{printable(run.model)} on {printable(run.device)}")
    return Text(" · ".join(parts), style="bold")


def _labels(run: "RunSummary", width: int, full_bar: str) -> Iterator[Text]:
    """Draw each label's count, share and bar; the bars take the width that is left."""
    total, most = sum(run.labels.values()), max(run.labels.values())
    names = [_without_end(printable(label), width // 3) for label in run.labels]
    name_width = max(map(cell_len, [*names, "label"]))
    digits = max(len("clips"), len(f"{most:,}"))
    room = min(_MAX_BAR, width - (2 + name_width + 2 + digits + 2 + 7 + 2))
    yield Text(f"  {_padded('label', name_width)}  {'clips':>{digits}}  {'share':>7}", style="dim")
    for i, (name, count) in enumerate(zip(names, run.labels.values(), strict=True)):
        style = _LABEL_STYLES[i % len(_LABEL_STYLES)]
        line = Text("  ").append(_padded(name, name_width), style=style)
        line.append(f"  {count:>{digits},}  {f'{100 * count / total:.1f} %':>7}")
        if count and room > 0:  # a label with clips is never drawn as one without
            line.append("  ").append(full_bar * max(1, round(room * count / most)), style=style)
        yield line
    if run.mean_confidence is not None:
        yield Text(f"  mean confidence {run.mean_confidence:.3f}", style="dim")


def _dimensions(run: "RunSummary") -> Iterator[Text]:
    """Write each dimension's mean, standard deviation and limits."""
    width = max(map(cell_len, [*run.dimensions, "dimension"]))
    heads = "".join(f"  {head:>9}" for head in ("mean", "deviation", "least", "most"))
    yield Text(f"  {_padded('dimension', width)}{heads}", style="dim")
    for place, (name, spread) in enumerate(run.dimensions.items()):
        style = _LABEL_STYLES[place % len(_LABEL_STYLES)]
        numbers = (spread.mean, spread.deviation, spread.low, spread.high)
        line = Text("  ").append(_padded(name, width), style=style)
        yield line.append("".join(f"  {number:>9.3f}" for number in numbers))


def _others(run: "RunSummary") -> Text:
    """Count the clips without a label, by what became of them."""
    text = Text()
    for status, name in _STATUS_NAMES.items():
        count = run.statuses.get(status, 0)
        if count:
            text.append(" · " if text else "  ")
            text.append(f"{count:,} {name}", style="bold red" if status == "failed" else "yellow")
    return text


def _failures(run: "RunSummary", width: int) -> Iterator[Text]:
    """List the first failures under their reasons, each reason once."""
    shown = run.examples[:_SHOWN_FAILURES]
    by_reason: dict[str, list[str]] = {}
    for name, reason in shown:
        by_reason.setdefault(reason, []).append(name)
    for reason, names in by_reason.items():
        count = run.reasons.get(reason, 0)
        beyond = f" ({count:,} clips)" if count > len(names) else ""
        yield from _indented(printable(reason) + beyond, 4, width, "red")
        for name in names:
            yield Text("      " + _without_beginning(printable(name), width - 6))
    more = run.statuses["failed"] - len(shown)
    if more > 0:
        yield Text(f"    and {more:,} more")


def _notes(run: "RunSummary") -> Iterator[Text]:
    """Say which labels to doubt, where the rows went, and which files were no inputs."""
    if run.doubted:
        doubts = ", ".join(f"{count:,} {flag}" for flag, count in run.doubts.items())
        yield Text(
            f"{_count(run.doubted, 'doubtful label')} ({doubts}): listen to flagged clips before "
            "relying on them",
            style="yellow",
        )
    if run.own_statistics_of:
        yield Text(
            f"model adapted to the statistics of {_count(run.own_statistics_of, 'clip')}, half-way"
        )
    if run.unchanged:
        yield Text(f"{_count(run.unchanged, 'row')} kept from the table as it was")
    if run.vanished:
        yield Text(f"{_count(run.vanished, 'file')} no longer there")
    if run.resumed:
        yield Text(f"{_count(run.resumed, 'clip')} from the interrupted run")
    skipped = []
    if run.skipped:
        skipped.append(f"{_count(run.skipped, 'file')} without an audio extension")
    if run.hidden:
        skipped.append(_count(run.hidden, "hidden file"))
    if skipped:
        yield Text(f"skipped: {', '.join(skipped)}")
    if run.archives:
        yield Text(
            f"skipped: {_count(run.archives, 'zip archive')}; name them to include their clips"
        )
    if run.outputs:
        yield Text(f"table written to {_places(run.outputs)}")
    for what, place in run.beside:
        yield Text(f"{what} written to {_places([place])}")
    if run.failures_file is not None:
        yield Text(f"failures listed in {_places([run.failures_file])}")


def _places(targets: Sequence[str]) -> str:
    return ", ".join("standard output" if name == "-" else printable(name) for name in targets)


def _indented(text: str, indent: int, width: int, style: str) -> Iterator[Text]:
    """Break a text into lines that all begin after the indent."""
    room = max(20, width - indent)
    line = ""
    for word in text.split(" "):
        if line and cell_len(f"{line} {word}") > room:
            yield Text(" " * indent).append(line, style=style)
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield Text(" " * indent).append(line, style=style)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _without_end(text: str, width: int) -> str:
    """Cut a text's end so that it takes at most ``width`` cells."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) >= width:
        text = text[:-1]
    return text + "…"


def _without_beginning(text: str, width: int) -> str:
    """Cut a path's beginning so that it takes at most ``width`` cells: the name is its end."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) >= width:
        text = text[1:]
    return "…" + text


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _duration(seconds: float) -> str:
    """Write a time as people say it.

    Examples
    --------
    >>> _duration(3.24), _duration(75), _duration(3725)
    ('3.2 s', '1 min 15 s', '1 h 2 min')
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
