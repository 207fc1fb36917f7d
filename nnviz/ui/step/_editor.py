"""A line of a file in the editor that the person has named in $VISUAL or $EDITOR. Nothing is run but that editor."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QProcess, QUrl
from PySide6.QtGui import QDesktopServices

_AT_LINE = {
    **dict.fromkeys(("code", "code-insiders", "codium", "cursor", "windsurf"), ("--goto", "{path}:{line}")),
    **dict.fromkeys(("subl", "sublime_text", "zed", "zeditor", "atom"), ("{path}:{line}",)),
    **dict.fromkeys(("pycharm", "charm", "idea", "kate", "kwrite", "mate", "xed"), ("--line", "{line}", "{path}")),
    **dict.fromkeys(("gedit", "gvim", "mvim", "emacs", "emacsclient", "geany", "pluma", "mousepad"), ("+{line}", "{path}")),
    "notepad++": ("-n{line}", "{path}"),
}
"""How editors with windows of their own are told a line."""
_IN_TERMINAL = {"vi", "vim", "nvim", "nano", "pico", "ed", "hx", "helix", "kak", "micro", "joe", "mcedit", "ne"}
_CURE = 'Name one that has a window of its own, for example VISUAL="code".'


def command(where: str, names: Mapping[str, str]) -> list[str]:
    """Return what opens "file:line" in the editor that $VISUAL, else $EDITOR names: a program and its arguments; none where none can."""
    path, _, line = where.rpartition(":")
    for words in filter(None, (_words(names.get(name, "")) for name in ("VISUAL", "EDITOR"))):
        name = Path(words[0].replace("\\", "/")).name.removesuffix(".exe").removesuffix(".cmd")
        if name in _AT_LINE:
            return [*words, *(part.format(path=path, line=line) for part in _AT_LINE[name])]
        if name not in _IN_TERMINAL:
            return [*words, path]
    return []


def open_line(where: str) -> str:
    """Open "file:line"; return why it could not be opened as a sentence, empty if it could."""
    path = where.rpartition(":")[0]
    if not Path(path).is_file():
        return f"There is no file {path}."
    words = command(where, os.environ)
    if words:
        started = QProcess.startDetached(words[0], words[1:])
        return "" if (started[0] if isinstance(started, tuple) else started) else f"{words[0]} could not be started. {_CURE}"
    if sys.platform != "linux":  # elsewhere the program of a .py file may be Python, which would run it
        return f"No editor is named in VISUAL or EDITOR. {_CURE}"
    return "" if QDesktopServices.openUrl(QUrl.fromLocalFile(path)) else f"No editor is known for {Path(path).name}. {_CURE}"


def _words(text: str) -> list[str]:
    try:
        words = shlex.split(text, posix=os.name != "nt")
    except ValueError:
        return []
    return [word.strip('"') for word in words]
