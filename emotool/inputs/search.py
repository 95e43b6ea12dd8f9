"""The walk through files, folders and patterns that finds clips."""

import glob
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from emotool.audio.formats import has_audio_name
from emotool.errors import AudioError
from emotool.files.opening import kind_of, plain_reason
from emotool.files.zip_members import is_archive, list_members, member_problem, split_member
from emotool.inputs.names import Names
from emotool.inputs.remote_search import is_remote, search_remote
from emotool.inputs.report_folders import REPORTS_END, is_reports

__all__ = ["Search"]


@dataclass(slots=True)
class _Seen:
    """What has been taken already, by resolved path.

    Files of walked folders are not listed one by one: a folder is walked once, so they are
    known by their folder and suffix. That keeps memory small for a million clips.
    """

    entered: set[str] = field(default_factory=set)  # folders, so that none is walked twice
    listed: set[str] = field(default_factory=set)  # folders all of whose entries were seen
    files: set[str] = field(default_factory=set)  # files taken by name or through a link

    def enter(self, folder: str) -> bool:
        """Return whether a folder is new, and remember it."""
        if folder in self.entered:
            return False
        self.entered.add(folder)
        return True

    def take(self, file: str, regular: bool) -> bool:
        """Return whether a file is new, and remember it.

        What is not a regular file (missing, or a FIFO) is no clip of its folder: it was only
        taken if it was named.
        """
        folder, name = os.path.split(file)
        of_folder = regular and folder in self.listed and has_audio_name(name)
        if file in self.files or (of_folder and not name.startswith(".")):
            return False
        self.files.add(file)
        return True


class _Folder(NamedTuple):
    """A folder to walk: what to open, what to show (with ``/`` at its end), what it is."""

    path: str
    shown: str
    resolved: str

    def below(self, name: str) -> str:
        """Return what identifies an entry of this folder that is no link."""
        return os.path.join(self.resolved, os.path.normcase(name))  # noqa: PTH118 - text, fast


@dataclass(slots=True)
class Search:
    """What one search has found so far.

    Attributes
    ----------
    clips : list of (str, str, str or None)
        What to show, what to open, and why it cannot be opened; in the order of finding.
    skipped, hidden, archives : int
        Entries of folders that are no clips.
    empty : list of str
        Folders that were named, as shown, and added no clip.
    links : Counter of str
        How many URLs look the same without their secrets.
    """

    clips: list[tuple[str, str, str | None]] = field(default_factory=list)
    skipped: int = 0
    hidden: int = 0
    archives: int = 0
    empty: list[str] = field(default_factory=list)
    seen: _Seen = field(default_factory=_Seen)
    names: Names = field(default_factory=Names)
    links: Counter[str] = field(default_factory=Counter)

    def add(self, shown: str, path: str, problem: str | None = None) -> None:
        """Take one clip."""
        self.clips.append((shown, path, problem))

    def argument(self, argument: str, *, patterns: bool = True) -> None:
        """Take one argument: a file, a folder, a URL, or a pattern the shell did not expand."""
        if is_remote(argument):
            search_remote(self, argument)
            return
        try:
            mode = os.stat(argument).st_mode  # noqa: PTH116 - Path mends what was typed
        except (OSError, ValueError) as error:
            if inside := split_member(argument):
                self.member(argument, *inside)
            elif patterns and _is_pattern(argument) and not os.path.lexists(argument):
                self.pattern(argument)
            elif (meant := self.names.find(argument)) and not _is_broken_link(meant):
                self.argument(meant, patterns=False)
            elif self.seen.take(_resolved(argument), regular=False):
                near = self.names.near(argument)
                reason = plain_reason(error) + (f"; {near}" if near else "")
                self.add(_slashes(argument), argument, reason)
            return
        if stat.S_ISDIR(mode):
            self.folder(argument)
        elif is_archive(argument) and stat.S_ISREG(mode):
            self.archive(argument)
        elif self.seen.take(_resolved(argument), stat.S_ISREG(mode)):
            self.add(_slashes(argument), argument, _problem(mode))

    def archive(self, argument: str) -> None:
        """Take the clips of a zip archive, as if it were a folder."""
        resolved, shown = _resolved(argument), _slashes(argument)
        if not self.seen.enter(resolved):
            return
        try:
            members = list_members(argument)
        except AudioError as error:
            self.add(shown, argument, error.reason)
            return
        for name, problem in members:
            if _is_hidden(name):
                self.hidden += 1
            elif not (has_audio_name(name) or is_archive(name)):
                self.skipped += 1
            elif f"{resolved}/{name}" not in self.seen.files:
                self.add(f"{shown}/{name}", f"{argument}/{name}", problem)

    def member(self, argument: str, archive: str, name: str) -> None:
        """Take one clip of an archive, unless the archive was taken."""
        resolved = _resolved(archive)
        of_archive = resolved in self.seen.entered and has_audio_name(name) and not _is_hidden(name)
        place = f"{resolved}/{name}"
        if not of_archive and place not in self.seen.files:
            self.seen.files.add(place)
            self.add(_slashes(argument), argument, member_problem(archive, name))

    def pattern(self, pattern: str) -> None:
        """Take what a pattern matches, as if the shell had expanded it."""
        matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - keeps what was typed
        if not matches:
            self.add(_slashes(pattern), pattern, "nothing matches this pattern")
        for match in matches:
            self.argument(match)

    def folder(self, argument: str) -> None:
        """Walk a folder: real entries first, then what its symbolic links add."""
        links: list[tuple[str, str]] = []
        shown = _slashes(argument)
        known, before = _resolved(argument) in self.seen.entered, len(self.clips)
        self.walk(argument, shown if shown.endswith("/") else shown + "/", links)
        for path, name in _drain(links):
            self.link(path, name, links)
        if not known and len(self.clips) == before:
            self.empty.append(shown)

    def walk(self, top: str, shown: str, links: list[tuple[str, str]]) -> None:
        """Take the files below ``top``, whose shown name with a ``/`` at its end is given."""
        stack = [_Folder(top, shown, _resolved(top))]
        while stack:
            folder = stack.pop()
            if not self.seen.enter(folder.resolved):
                continue
            try:
                with os.scandir(folder.path) as entries:
                    for entry in entries:
                        self.entry(entry, folder, stack, links)
                self.seen.listed.add(folder.resolved)
            except OSError as error:
                reason = f"the folder cannot be read: {plain_reason(error)}"
                self.add(folder.shown.rstrip("/") or "/", folder.path, reason)

    def entry(
        self,
        entry: "os.DirEntry[str]",
        folder: _Folder,
        stack: list[_Folder],
        links: list[tuple[str, str]],
    ) -> None:
        """Take one entry of a folder: now, or by putting it where it is done later."""
        name = entry.name
        if name.startswith("."):
            self.hidden += 1
        elif entry.is_symlink():
            links.append((entry.path, folder.shown + name))
        elif entry.is_dir(follow_symlinks=False):
            page = entry.path.removesuffix(REPORTS_END) + ".html"
            if name.endswith(REPORTS_END) and is_reports(entry.path, page):
                self.skipped += 1
                return
            stack.append(_Folder(entry.path, f"{folder.shown}{name}/", folder.below(name)))
        elif not has_audio_name(name) or not entry.is_file(follow_symlinks=False):
            self.pass_over(name)
        # Named on the command line before, it is not taken again.
        elif not self.seen.files or folder.below(name) not in self.seen.files:
            shown = folder.shown + name
            # Mostly the two are equal: one string then serves both.
            self.add(shown, shown if shown == entry.path else entry.path)

    def link(self, path: str, shown: str, links: list[tuple[str, str]]) -> None:
        """Take what a symbolic link in a folder leads to, unless it was taken already."""
        try:
            mode = os.stat(path).st_mode  # noqa: PTH116 - as above
        except OSError as error:
            if has_audio_name(path):
                self.add(shown, path, f"a broken link: {plain_reason(error)}")
            else:
                self.skipped += 1
            return
        if stat.S_ISDIR(mode):
            self.walk(path, shown + "/", links)
        elif not stat.S_ISREG(mode) or not has_audio_name(path):
            self.pass_over(path)
        elif self.seen.take(_resolved(path), regular=True):
            self.add(shown, path)

    def pass_over(self, name: str) -> None:
        """Count a file that is no clip."""
        if is_archive(name):
            self.archives += 1
        else:
            self.skipped += 1


def _drain(links: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield links in the order of their names, those found meanwhile after the earlier ones."""
    while links:
        batch = sorted(links)
        links.clear()
        yield from batch


def _problem(mode: int) -> str | None:
    kind = kind_of(mode)
    return None if kind == "file" else f"not a file but a {kind}"


def _is_broken_link(path: str) -> bool:
    return not os.path.exists(path)  # noqa: PTH110 - as above


def _is_hidden(name: str) -> bool:
    """Return whether a member, or a folder it is in, has a name that begins with a dot."""
    parts = name.replace("\\", "/").split("/")
    return any(part.startswith(".") and part not in (".", "..") for part in parts)


def _is_pattern(argument: str) -> bool:
    return any(character in argument for character in "*?[")


def _resolved(path: str) -> str:
    """Return what identifies a file or folder, however it is reached."""
    try:
        return os.path.normcase(os.path.realpath(path))
    except (OSError, ValueError):
        return path


def _slashes(argument: str) -> str:
    return argument.replace(os.sep, "/")
