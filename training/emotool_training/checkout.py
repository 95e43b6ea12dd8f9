"""The commit of the code that runs."""

import subprocess
from pathlib import Path
from typing import Any

__all__ = ["git_commit"]


def git_commit() -> str:
    """Return the commit of the checkout this code is in; empty outside of one."""
    here = Path(__file__).parent
    command: list[Any] = ["git", "-C", here, "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
