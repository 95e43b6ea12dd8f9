"""Results as an HTML report: one page, that needs nothing but a browser.

Rows are written as they come; sounds and pictures are prepared by a few threads (the functions
they call release Python's lock) while the next clips are labelled, in bounded numbers, so
that memory does not grow with the number of clips. Up to `MAX_INSIDE` clips they are in the page;
beyond, in ``NAME_files/`` beside it, loaded by the browser when a row is opened.

What differs from run to run is in the element ``run`` alone. The element ``identity`` is a hash of
labels and rows, under which the browser keeps a person's corrections.
"""

import base64
import hashlib
import os
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from emotool.errors import OutputError
from emotool.explain.explanation import frequency_heights, shown_spec
from emotool.files.destination import replaced_file, shown_place
from emotool.results.columns import Columns
from emotool.results.row import SCHEMA, UNCERTAIN, ClipResult
from emotool.text import path_text, printable
from emotool.writers.base import STDOUT, Sources, WriterOptions
from emotool.writers.file_output import TextOutput
from emotool.writers.html.media import ENDINGS, MIME_TYPES, Media, clip_media
from emotool.writers.html.media_folder import MediaFolder, earlier_folder, remove_folder
from emotool.writers.html.page import foot, head, island

__all__ = ["MAX_INSIDE", "HtmlWriter"]

MAX_INSIDE: Final = 500
"""Most clips whose sounds and pictures are kept in the page itself."""

_THREADS: Final = 2
_AHEAD: Final = 16  # clips under way at once
_ROWS_PER_ISLAND: Final = 500
_TICKS_HZ: Final = (250, 500, 1_000, 2_000, 4_000, 8_000, 16_000)
_PLACED: Final = {
    *("path", "path_bytes", "status", "label", "confidence", "probabilities", "top"),
    *("duration_s", "start_s", "end_s", "flags", "model", "stage", "error", "dimensions"),
}
"""Entries that the page shows in a way of its own; columns of others are listed with a clip."""


class HtmlWriter(TextOutput):
    """Writes results as a page to look at and listen to.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.
    table : Columns
        The columns.
    facts : mapping
        Facts of the run, read when the page is finished.
    options : WriterOptions
        Its ``sources`` are the clips to play; without, the page has rows and charts only.

    Raises
    ------
    OutputError
        If the place cannot be written to, or many clips' files have no place beside it.
    """

    whole_clips = True

    def __init__(
        self, target: str, table: Columns, facts: Mapping[str, Any], options: WriterOptions
    ) -> None:
        super().__init__(target)
        self._labels = {label: place for place, label in enumerate(table.labels)}
        self._facts = facts
        self._sources = options.sources
        self._table = table
        others = (entry for entry in table.entries if entry.name not in _PLACED)
        self._listed = [column for entry in others for column in entry.columns]
        self._rows: list[list[Any]] = []
        self._identity = hashlib.sha256(island(table.labels, name="labels").encode())
        self._under_way: deque[tuple[ClipResult, Future[Media] | None]] = deque()
        self._threads = ThreadPoolExecutor(_THREADS, "report")
        self._stale: Path | None = None  # what an earlier, larger report has left
        self._folder: MediaFolder | None = None
        try:
            page = None if target == STDOUT else replaced_file(target)
            if self._sources is not None and len(self._sources.clips) > MAX_INSIDE:
                self._folder = _folder(target, page)
            elif page is not None:
                self._stale = earlier_folder(page)
            self.put(head())
            self.put(island(self._about_page(), name="page"))
        except BaseException:
            self.discard()
            raise

    def write(self, result: ClipResult) -> None:
        """Add a clip; its sound and pictures are prepared meanwhile."""
        self._under_way.append((result, self._prepare(result)))
        while self._under_way and (len(self._under_way) > _AHEAD or _is_done(self._under_way[0])):
            self._take_next()

    def close(self) -> None:
        """Finish the page and put it, and what lies beside it, in its place."""
        try:
            while self._under_way:
                self._take_next()
            self._put_rows()
            self.put(island(self._identity.hexdigest(), name="identity"))
            self.put(island(dict(self._facts), name="run") + foot())
            self._threads.shutdown()
            if self._folder is not None:
                self._folder.commit()
                self._folder = None
        except BaseException:
            self.discard()
            raise
        super().close()
        if self._stale is not None:
            remove_folder(self._stale)

    def discard(self) -> None:
        """Discard the page and its files; never raises."""
        self._threads.shutdown(cancel_futures=True)
        if self._folder is not None:
            self._folder.discard()
        super().discard()

    def _prepare(self, result: ClipResult) -> "Future[Media] | None":
        if self._sources is None or result.status == "failed":
            return None
        clip = self._sources.clips[result.index]
        return self._threads.submit(clip_media, clip.path, self._sources.classifier)

    def _take_next(self) -> None:
        """Write the oldest clip, waiting for its sound and pictures."""
        result, coming = self._under_way.popleft()
        media = None if coming is None else coming.result()
        if media is not None and media.parts:
            if self._folder is not None:
                self._folder.add(result.index, media)
            else:
                self.put(island(_data_urls(media), name=f"m{result.index}"))
        self._rows.append(self._row(result, None if media is None else media.about))
        if len(self._rows) == _ROWS_PER_ISLAND:
            self._put_rows()

    def _put_rows(self) -> None:
        if self._rows:
            rows = island(self._rows, kind="rows")
            self._identity.update(rows.encode())
            self.put(rows)
            self._rows = []

    def _row(self, result: ClipResult, media: dict[str, Any] | None) -> list[Any]:
        """Return a row as `data.js` reads it."""
        record = self._table.record(result)
        listed = [printable(column.text(result)) for column in self._listed]
        numbers = list((record.get("dimensions") or {}).values())
        shown, kept = printable(result.shown), path_text(result.shown)
        return [
            shown if shown == kept else [shown, kept],
            UNCERTAIN if result.label == UNCERTAIN not in self._labels else result.status,
            self._labels.get(result.label, -1),
            list((record.get("probabilities") or {}).values()),
            record["duration_s"],
            record["flags"],
            printable(result.reason),
            media,
            *([listed] if listed or numbers else []),
            *([numbers] if numbers else []),
        ]

    def _about_page(self) -> dict[str, Any]:
        folder = None
        if self._folder is not None:
            folder = quote(os.fsencode(self._folder.path.name))
        return {
            "schema": SCHEMA,
            "folder": folder,  # near the beginning: `is_reports` looks there
            "labels": [printable(label) for label in self._table.labels],
            **self._about_dimensions(),
            "kept": [printable(column.key or column.name) for column in self._listed],
            "endings": ENDINGS,
            "ticks": [] if self._sources is None else _ticks(self._sources),
        }

    def _about_dimensions(self) -> dict[str, Any]:
        """Return the names of numbers, and what is known of their range; nothing without any."""
        names = self._table.dimensions
        if not names:
            return {}
        if self._sources is None:
            return {"dimensions": [{"name": name} for name in names]}
        known = self._sources.classifier.metadata.dimensions
        return {"dimensions": [{**asdict(one), "meaning": printable(one.meaning)} for one in known]}


def _is_done(entry: "tuple[ClipResult, Future[Media] | None]") -> bool:
    return entry[1] is None or entry[1].done()


def _folder(target: str, page: Path | None) -> MediaFolder:
    if page is None:
        raise OutputError(
            f"a report of more than {MAX_INSIDE} clips keeps sounds and pictures in a folder "
            f"beside it: {shown_place(1 if target == STDOUT else target)} has none",
            hint="write it to a file with -o report.html",
        )
    return MediaFolder(page)


def _ticks(sources: Sources) -> list[tuple[str, float]]:
    """Return the frequencies to be written beside spectrograms, and how high."""
    spec = shown_spec(sources.classifier.spec)
    shown = [hertz for hertz in _TICKS_HZ if spec.f_min < hertz < 0.95 * spec.f_max]
    names = [f"{hertz // 1_000} kHz" if hertz >= 1_000 else str(hertz) for hertz in shown]
    heights = [round(height, 4) for height in frequency_heights(spec, shown)]
    return list(zip(names, heights, strict=True))


def _data_urls(media: Media) -> dict[str, str]:
    return {
        kind: f"data:{MIME_TYPES[kind]};base64,{base64.b64encode(content).decode('ascii')}"
        for kind, content in media.parts.items()
    }
