"""Keeps an error in a paint event from ending the program: Qt crashes where a painter is still at work when its widget is gone.

Every paint method of the program is marked with `painted`.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from nnviz.ui.theme.colors import BODY, current_theme
from nnviz.ui.theme.fonts import sans

SENTENCE = "This cannot be drawn; the log says why."
_log = logging.getLogger(__name__)
_told: set[tuple[str, type[Exception]]] = set()
"""What has been logged: a paint event comes again with every frame."""


def painted(paint: Callable[..., Any]) -> Callable[..., Any]:
    """Return the paint method without its errors: each is logged once, and a sentence stands in the place of the picture."""

    @wraps(paint)
    def guarded(self: Any, *arguments: Any) -> Any:
        try:
            return paint(self, *arguments)
        except Exception as error:
            _tell(paint.__qualname__, error)
            traceback.clear_frames(error.__traceback__)  # they hold the painter, which ends with them
            if isinstance(self, QWidget) and not isinstance(arguments[0], QPainter):
                _apologise(self)
            return None

    return guarded


def _tell(where: str, error: Exception) -> None:
    if (where, type(error)) not in _told:
        _told.add((where, type(error)))
        _log.error("%s could not be drawn", where, exc_info=error)


def _apologise(widget: QWidget) -> None:
    surface = widget.viewport() if isinstance(widget, QAbstractScrollArea) else widget
    painter = QPainter(surface)
    painter.setFont(sans(BODY))
    painter.setPen(current_theme().color("muted"))
    area = QRectF(surface.rect()).adjusted(8, 0, -8, 0)
    painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), SENTENCE)
    painter.end()
