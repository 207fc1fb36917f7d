"""Where the files shipped with the program are: inside the installed package, or beside it in a checkout. Reads none of them."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource_folder(name: str) -> Path:
    """Return the folder `name` (fonts, icons, examples, ...) of the shipped files. Raises FileNotFoundError if it is not there."""
    installed = _PACKAGE / "resources"
    folder = (installed if installed.is_dir() else _PACKAGE.parent / "resources") / name
    if not folder.is_dir():
        raise FileNotFoundError(f"the shipped folder {name!r} is missing from {folder.parent}: install nnviz again")
    return folder
