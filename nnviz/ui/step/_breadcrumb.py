"""The way to what the chain-rule card is about, in one line of links. It shows given parts and says which one is clicked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from nnviz.text.trails import Crumb
from nnviz.ui.theme.colors import SMALL, current_theme
from nnviz.ui.theme.fonts import sans
from nnviz.ui.theme.painting import painted

_BETWEEN = " › "
_CUT = "… › "


class Breadcrumb(QWidget):
    """Parts of a way, the last of which is where one is. Where there is no room the first are left out; the tooltip has them all."""

    group_clicked = Signal(int)
    """How many groups lead to the part that was clicked; 0: it is the whole."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._crumbs: tuple[Crumb, ...] = ()
        self._source = ""
        self._has_links = True
        self._buttons: list[_Link] = []
        self._texts: list[tuple[str, str, float]] = []
        """What is painted between the links: a text, its colour, where it begins."""
        self.setFont(sans(SMALL + 0.5))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Where this is")

    def set_trail(self, crumbs: Sequence[Crumb], source: str = "", path: str = "", has_links: bool = True) -> None:
        """Show this way and the line of code; `path` is the whole of it. Without links it only says where one is."""
        self._crumbs, self._source, self._has_links = tuple(crumbs), source, has_links
        said = ", ".join(filter(None, (_plain(self._crumbs), source)))
        self.setAccessibleDescription(said)
        leading = [crumb for crumb in self._crumbs if self._leads(crumb)]
        folds = "Click a part to fold it and see it as one" if any(crumb.depth for crumb in leading) else ""
        whole = next((f"click “{crumb.text}” to see the whole graph folded" for crumb in leading if not crumb.depth), "")
        how = "; ".join(filter(None, (folds, whole)))
        self.setToolTip("\n".join(filter(None, (said, path, f"{how[:1].upper()}{how[1:]}." if how else ""))))
        self._write()

    def crumbs(self) -> tuple[Crumb, ...]:
        """Return the whole way."""
        return self._crumbs

    def text(self) -> str:
        """Return what there is room for."""
        shown, source = self._shown()
        return _CUT * (len(shown) < len(self._crumbs)) + _plain(shown) + source

    def links(self) -> list[QPushButton]:
        """Return the parts that can be clicked."""
        return [button for button in self._buttons if not button.isHidden()]

    def _leads(self, crumb: Crumb) -> bool:
        return crumb.depth is not None and self._has_links

    def _shown(self) -> tuple[list[Crumb], str]:
        """As many of the last parts as there is room for, and the line of code if it fits, too."""
        metrics, shown = QFontMetricsF(self.font()), list(self._crumbs)
        source = f", {self._source}" if self._source else ""
        while len(shown) > 1 and metrics.horizontalAdvance(_CUT * (len(shown) < len(self._crumbs)) + _plain(shown)) > self.width():
            shown.pop(0)
        cut = _CUT if len(shown) < len(self._crumbs) else ""
        return shown, source if metrics.horizontalAdvance(cut + _plain(shown) + source) <= self.width() else ""

    def _write(self) -> None:
        metrics, (shown, source), left = QFontMetricsF(self.font()), self._shown(), 0.0
        self._texts, used = [], 0
        pieces: list[str | Crumb] = [_CUT] if len(shown) < len(self._crumbs) else []
        for crumb in shown:
            pieces += [crumb, _BETWEEN]
        for piece in (*pieces[:-1], source):
            text = piece if isinstance(piece, str) else piece.text
            width = metrics.horizontalAdvance(text)
            if isinstance(piece, str) or not self._leads(piece):
                self._texts.append((text, "muted" if isinstance(piece, str) else "text", left))
            else:
                self._link(used).show_part(piece, round(left), round(width + 0.5), self.height())
                used += 1
            left += width
        for button in self._buttons[used:]:
            button.hide()
        self.update()

    def _link(self, number: int) -> _Link:
        """One of the buttons, which are kept: the one that was clicked keeps the focus."""
        if number == len(self._buttons):
            button = _Link(self)
            button.clicked.connect(lambda: self.group_clicked.emit(button.depth))
            self._buttons.append(button)
        return self._buttons[number]

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(120, 22)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 22)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        for text, tone, left in self._texts:
            painter.setPen(current_theme().color(tone))
            painter.drawText(QRectF(left, 0, self.width() - left, self.height()), int(Qt.AlignmentFlag.AlignVCenter), text)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._write()


class _Link(QPushButton):
    """One part of the way that can be clicked."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.depth = 0
        self.setFont(parent.font())
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_part(self, crumb: Crumb, left: int, width: int, height: int) -> None:
        """Show this part at its place in the line."""
        self.depth = crumb.depth or 0
        self.setText(crumb.text.replace("&", "&&"))
        self.setGeometry(left, 0, width, height)
        self.show()


def _plain(crumbs: Sequence[Crumb]) -> str:
    return _BETWEEN.join(crumb.text for crumb in crumbs)
