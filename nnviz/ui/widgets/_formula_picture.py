"""A formula in TeX as a picture in the theme's colour, with where its baseline is. ziamath sets it, Qt paints it."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import NamedTuple

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

_SHARP = 3
"""Pixels of the picture for one of the text, so that it is sharp on every screen."""
_LONGEST = 500
"""Characters of a formula."""


class FormulaPicture(NamedTuple):
    """A picture, its `depth` below the baseline in pixels of the text."""

    image: QImage
    depth: float


@lru_cache(maxsize=300)
def formula_picture(tex: str, size: float, color: str, is_display: bool = False) -> FormulaPicture | None:
    """Return the formula in letters of so many pixels; None where it cannot be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # ziamath reads its font in a way that is going out of use
        import ziamath  # here, because it takes as long to load as the whole window to paint

    ziamath.config.svg2 = False  # Qt knows no symbols
    if len(tex) > _LONGEST:
        return None
    try:
        text = ziamath.Latex(tex, size=size, inline=not is_display, color=color).svg()
    except Exception:  # whatever a lesson says, and however ziamath fails over it
        return None
    renderer = QSvgRenderer(QByteArray(text.encode()))
    box = renderer.viewBoxF()
    if box.isEmpty():
        return None
    image = QImage(*(max(1, round(_SHARP * length)) for length in (box.width(), box.height())), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter, QRectF(image.rect()))
    painter.end()
    image.setDevicePixelRatio(_SHARP)
    return FormulaPicture(image, max(0.0, box.bottom()))
