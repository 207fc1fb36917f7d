"""The program's typefaces: registers the bundled fonts and makes QFonts of them. Names no colour and no size."""

from __future__ import annotations

import logging
import textwrap
from functools import cache
from pathlib import Path

from PySide6.QtGui import QFont, QFontDatabase

from nnviz.resource_files import resource_folder
from nnviz.ui.theme import colors

SANS_FAMILIES = (colors.SANS, "DejaVu Sans")
MONO_FAMILIES = (colors.MONO, "DejaVu Sans Mono", "DejaVu Sans")
"""DejaVu lends the signs that the first family lacks: ∇ and ᵀ to both, ∈ ⊙ ▾ to the sans, ᵢ ‖ to the mono."""

_WIDEST_TIP = 90
"""Characters of a line of a tooltip."""

_percent = 100

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


def text_size() -> int:
    """Return how large texts are, in percent of how they were designed; 100 until `style.apply_text_size` has been called."""
    return _percent


def set_text_size(percent: int) -> None:
    """Make fonts and lengths of this size from now on; `style.apply_text_size` also tells the widgets there are."""
    global _percent  # a frame of all plots asks for it 600 times: a property of the application took a thirtieth of that frame
    _percent = percent


def scaled(pixels: float) -> float:
    """Return a length that goes with the size of texts, such as the height of a line."""
    return pixels * text_size() / 100


def sans(size: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return the font of texts: `size` in pixels at 100 %, made whole; all digits equally wide."""
    return drawn_sans(scaled(size), weight)


def mono(size: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return the font of numbers and formulas: `size` in pixels at 100 %, made whole; no ligatures, so that -> stays two signs."""
    return drawn_mono(scaled(size), weight)


def drawn_sans(size: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return `sans` for a picture that is zoomed as a whole: whatever size of text is chosen, it has that many pixels."""
    return QFont(_sans(round(size), weight))


def drawn_mono(size: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return `mono` for a picture that is zoomed as a whole: whatever size of text is chosen, it has that many pixels."""
    return QFont(_mono(round(size), weight))


def printed_sans(size: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return `drawn_sans` for a text that is to be copied from a PDF: all signs are the font's usual ones, others have no code there."""
    font = drawn_sans(size, weight)
    font.unsetFeature(QFont.Tag("tnum"))
    font.setFeature(QFont.Tag("calt"), 0)
    return font


def tip_of(*texts: str) -> str:
    """Return the tooltip that says these texts, each on a line of its own; empty ones are left out. Qt breaks no line of plain text."""
    return "\n".join(textwrap.fill(text, _WIDEST_TIP) for text in texts if text)


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
