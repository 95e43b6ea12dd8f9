"""Recognise folders that reports keep their sounds and pictures in."""

import os
import re
from typing import Final

__all__ = ["REPORTS_END", "REPORTS_FILE", "is_reports"]


REPORTS_END: Final = "_files"
"""How the folder beside a large report is called, after the page's own name."""


REPORTS_FILE: Final = re.compile(
    r"(\._)?(\d{6,}(\.mp3|\.png|\.evidence\.png)|\.DS_Store)|(?i:thumbs\.db|desktop\.ini)"
)
"""The files in it: the clips' sounds, which are no clips of their own, and pictures; and what file
managers leave in folders that are looked at (macOS, on other systems' disks, beside each file)."""


# Written only into pages that have such a folder; data of a page has no "<" in it.
_REPORTS_PAGE: Final = re.compile(
    rb' \xc2\xb7 emotool</title>.* id="page">[^<]*"folder":"', re.DOTALL
)


_REPORTS_HEAD: Final = 1 << 16  # bytes, of which style is the most


def is_reports(folder: str, page: str) -> bool:
    """Say whether a folder is what a large report made: nothing else in it, its page there.

    Parameters
    ----------
    folder : str
        Where the report at ``page`` would have its sounds and pictures.
    page : str
        The report, which says whether it has any outside: the folder beside a small one is
        somebody's own, even if its files are called like that.

    Returns
    -------
    bool
        False also for what is not there or cannot be read.
    """
    try:
        with open(page, "rb") as handle:  # noqa: PTH123 - Path mends what was typed
            if not _REPORTS_PAGE.search(handle.read(_REPORTS_HEAD)):
                return False
        with os.scandir(folder) as entries:
            return all(REPORTS_FILE.fullmatch(entry.name) for entry in entries)
    except (OSError, ValueError):
        return False
