"""Every colour, font and size of the program, in one table for light and one for dark. Nothing else names a colour."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor

GRID = 4
GUTTER = 12
RADIUS = 10
SMALL, BODY, LARGE, TITLE = 11.0, 12.5, 14.0, 17.0
"""Type sizes in pixels: section heads and captions, text, names, titles."""

SANS, MONO = "Inter", "JetBrains Mono"
"""Bundled under resources/fonts: text, and every number."""


@dataclass(frozen=True)
class Theme:
    """Colours by meaning, as #RRGGBB."""

    name: str
    background: str
    panel: str
    line: str
    text: str
    muted: str
    faint: str
    field: str
    """Ground of input fields and quiet buttons."""
    positive: str
    negative: str
    batch: str
    forward: str
    loss: str
    backward: str
    clip: str
    update: str
    parameter: str
    parameter_line: str
    what_if: str
    """What is supposed, and what it changes."""
    warning: str
    """Ground of a note that wants attention."""
    training_set: str
    validation_set: str
    classes: tuple[str, ...]
    branches: tuple[str, ...]
    """One for each `color` of a branch of the run, none of them that of a sign or a phase."""

    def color(self, name: str, alpha: float = 1.0) -> QColor:
        """Return the named colour with an opacity of 0 to 1, shared: change a copy of it. Raises AttributeError for an unknown name."""
        return _read(getattr(self, name), alpha)

    def branch(self, place: int, share: float = 1.0) -> QColor:
        """Return a branch's colour mixed into the panel colour, as `tint` does; places beyond the table begin at its start again."""
        return mixed(_read(self.panel), _read(self.branches[place % len(self.branches)]), share)

    def phase(self, phase: str, alpha: float = 1.0) -> QColor:
        """Return the colour of a phase: batch · forward · loss · backward · clip · update."""
        return self.color(phase, alpha)

    def tint(self, name: str, share: float) -> QColor:
        """Return the named colour mixed into the panel colour: share 0 is the panel, 1 the full colour. Opaque."""
        return mixed(_read(self.panel), _read(getattr(self, name)), share)

    def diverging(self, value: float, limit: float) -> QColor:
        """Return the colour of a value on a scale that is symmetric around 0: negative · panel · positive, full at ±limit."""
        share = 0.08 + 0.92 * min(1.0, abs(value) / limit) if limit > 0 else 0.08
        return self.tint(of_sign(value), share)


def of_sign(value: float) -> str:
    """Return the name of the colour of a value's sign: "positive" from 0 on, else "negative"."""
    return "positive" if value >= 0 else "negative"


def mixed(first: QColor, second: QColor, share: float) -> QColor:
    """Return the opaque colour `share` (0 to 1) of the way from the first to the second."""
    red, green, blue, _ = first.getRgbF()
    to_red, to_green, to_blue, _ = second.getRgbF()
    return QColor.fromRgbF(red + (to_red - red) * share, green + (to_green - green) * share, blue + (to_blue - blue) * share)


@lru_cache(maxsize=4096)
def _read(text: str, alpha: float = 1.0) -> QColor:
    """A colour of the tables."""
    color = QColor(text)
    color.setAlphaF(alpha)
    return color


LIGHT = Theme(
    name="light",
    background="#F6F7F9",
    panel="#FFFFFF",
    line="#E2E5EA",
    text="#1B2230",
    muted="#6B7587",
    faint="#A9B1BF",
    field="#F3F5F8",
    positive="#2F6FDE",
    negative="#E0762B",
    batch="#6B7587",
    forward="#0E9F8E",
    loss="#D64545",
    backward="#C13F7D",
    clip="#B7832A",
    update="#7A5AF8",
    parameter="#FFFBF2",
    parameter_line="#E3CDA0",
    what_if="#6F7F0C",
    warning="#FFF6EA",
    training_set="#2F6FDE",
    validation_set="#E0762B",
    classes=("#E0762B", "#2F6FDE", "#0E9F8E", "#7A5AF8", "#C13F7D", "#B7832A", "#4A9BB5", "#D64545", "#6B8E23", "#8A6FB0"),
    branches=("#4A5568", "#3A9A3E", "#9A5B2E", "#2E9CC4", "#8A2BA0", "#CF7688", "#2F3C96", "#5C5F1C"),
)

DARK = Theme(
    name="dark",
    background="#12151B",
    panel="#1A1F27",
    line="#2A313C",
    text="#E6EAF2",
    muted="#98A2B3",
    faint="#5B6576",
    field="#222933",
    positive="#6C9CF5",
    negative="#F0975A",
    batch="#98A2B3",
    forward="#2CC4B2",
    loss="#EE6B6B",
    backward="#E06BA3",
    clip="#D9A548",
    update="#9D85FF",
    parameter="#24211A",
    parameter_line="#6B5C3A",
    what_if="#B7C54A",
    warning="#2E2618",
    training_set="#6C9CF5",
    validation_set="#F0975A",
    classes=("#F0975A", "#6C9CF5", "#2CC4B2", "#9D85FF", "#E06BA3", "#D9A548", "#6FB9D1", "#EE6B6B", "#9DBF4B", "#B29AD6"),
    branches=("#B8C2D1", "#6CCB5F", "#A8714A", "#58C7EC", "#C65BE0", "#E9A3B4", "#EADF9A", "#86A030"),
)

THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


def current_theme() -> Theme:
    """Return the theme that the application wears; light until `style.apply_theme` has been called."""
    return THEMES.get(QCoreApplication.instance().property("theme"), LIGHT)
