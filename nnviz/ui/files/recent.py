"""The documents opened and saved last, kept between starts. Whether they are still there is asked when they are shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QMenu

from nnviz.document.store.files import stamp

_KEY = "documents/recent"
MOST = 10


def recent_documents() -> tuple[Path, ...]:
    """Return the paths, the newest first."""
    stored = QSettings().value(_KEY, [])
    paths = stored if isinstance(stored, list) else [stored]
    return tuple(Path(path) for path in paths if isinstance(path, str) and path and "\0" not in path)[:MOST]


def remember(path: Path) -> bool:
    """Put a document in the first place; return whether the list could be kept."""
    return _store([path, *(known for known in recent_documents() if known != path)])


def forget(path: Path) -> None:
    """Take a document out."""
    _store([known for known in recent_documents() if known != path])


def shown_name(path: Path) -> str:
    """Return what a menu calls the document: its name and where it is, or that it is gone."""
    name = path.name if len(path.name) <= 60 else f"{path.name[:40]}…{path.name[-16:]}"
    return f"{name}   {place(path)}"


def place(path: Path) -> str:
    """Return the folder of the document, and whether it is gone."""
    folder = str(path.parent).replace(str(Path.home()), "~", 1)
    folder = folder if len(folder) <= 48 else f"…{folder[-46:]}"
    return folder if stamp(path) else f"{folder} – missing"


def fill_recent(menu: QMenu, call: Callable[[Path], object]) -> None:
    """Give the menu one entry for each document, numbered for the keyboard; `call` is given the path."""
    menu.clear()
    for number, path in enumerate(recent_documents(), start=1):
        menu.addAction(f"&{number % 10}  {shown_name(path).replace('&', '&&')}", lambda path=path: call(path))
    if menu.isEmpty():
        menu.addAction("No documents yet").setEnabled(False)


def _store(paths: list[Path]) -> bool:
    settings = QSettings()
    settings.setValue(_KEY, [str(path) for path in paths[:MOST]])
    settings.sync()
    return settings.status() == QSettings.Status.NoError
