"""The program's typefaces: registers the bundled fonts and makes QFonts of them. Names no colour and no size."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

from PySide6.QtGui import QFont, QFontDatabase

from nnviz.resource_files import resource_folder
from nnviz.ui.theme import colors

SANS_FAMILIES = (colors.SANS, "DejaVu Sans")
MONO_FAMILIES = (colors.MONO, "DejaVu Sans Mono", "DejaVu Sans")
"""DejaVu lends the signs that the first family lacks: ∇ and ᵀ to both, ∈ ⊙ ▾ to the sans, ᵢ ‖ to the mono."""

WIDEST_TIP = 90
"""Characters of a line of a tooltip; Qt breaks no line of plain text."""

_log = logging.getLogger(__name__)


@cache
def load_fonts() -> tuple[str, ...]:
    """Register the bundled fonts, once, and return their families. Needs a QGuiApplication.

    A font that cannot be loaded is logged; text then falls back to what the system has.
    """
    families: list[str] = []
    for path in _font_files():
        number = QFontDatabase.addApplicationFont(str(path))
        if number < 0:
            _log.warning("the font %s could not be loaded: texts will look different", path)
        families += QFontDatabase.applicationFontFamilies(number)
    return tuple(dict.fromkeys(families))


def sans(size: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return the font of texts: `size` in pixels, made whole; all digits equally wide."""
    return QFont(_sans(round(size), weight))


def mono(size: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return the font of numbers and formulas: `size` in pixels, made whole; no ligatures, so that -> stays two signs."""
    return QFont(_mono(round(size), weight))


@cache  # copies of one font share what Qt has looked up for it
def _sans(size: int, weight: QFont.Weight) -> QFont:
    font = _font(SANS_FAMILIES, size, weight)
    font.setStyleHint(QFont.StyleHint.SansSerif)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


@cache
def _mono(size: int, weight: QFont.Weight) -> QFont:
    font = _font(MONO_FAMILIES, size, weight)
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setFixedPitch(True)
    font.setFeature(QFont.Tag("calt"), 0)
    return font


def _font(families: tuple[str, ...], size: int, weight: QFont.Weight) -> QFont:
    font = QFont(list(families))
    font.setPixelSize(size)
    font.setWeight(weight)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)  # hinted widths differ from machine to machine
    return font


def _font_files() -> list[Path]:
    try:
        return sorted(path for path in resource_folder("fonts").iterdir() if path.suffix in (".otf", ".ttf"))
    except FileNotFoundError as error:
        _log.warning("no bundled fonts: %s", error)
        return []
