"""The way to what the chain-rule card is about, in one line of links. It shows given parts and says which one is clicked."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from nnviz.text.trails import Crumb
from nnviz.ui.theme.colors import SMALL, current_theme
from nnviz.ui.theme.fonts import sans

_BETWEEN = " › "
_CUT = "… › "


class Breadcrumb(QLabel):
    """Parts of a way, the last of which is where one is. Where there is no room the first are left out; the tooltip has them all."""

    group_clicked = Signal(int)
    """How many groups lead to the part that was clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._crumbs: tuple[Crumb, ...] = ()
        self._source = ""
        self._has_links = True
        self.setFont(sans(SMALL + 0.5))
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.LinksAccessibleByMouse | Qt.TextInteractionFlag.LinksAccessibleByKeyboard)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Where this is")
        self.linkActivated.connect(lambda depth: self.group_clicked.emit(int(depth)))

    def set_trail(self, crumbs: Sequence[Crumb], source: str = "", path: str = "", has_links: bool = True) -> None:
        """Show this way and the line of code; `path` is the whole of it. Without links it only says where one is."""
        self._crumbs, self._source, self._has_links = tuple(crumbs), source, has_links
        said = ", ".join(filter(None, (self._plain(self._crumbs), source)))
        self.setAccessibleDescription(said)
        self.setToolTip("\n".join(filter(None, (said, path, "Click a part to fold it and see it as one." if self._links() else ""))))
        self._write()

    def crumbs(self) -> tuple[Crumb, ...]:
        """Return the whole way."""
        return self._crumbs

    def _links(self) -> list[Crumb]:
        return [crumb for crumb in self._crumbs if crumb.depth and self._has_links]

    def _plain(self, crumbs: Sequence[Crumb]) -> str:
        return _BETWEEN.join(crumb.text for crumb in crumbs)

    def _write(self) -> None:
        """Write as many of the last parts as there is room for, then the line of code if it fits, too."""
        metrics, shown = QFontMetricsF(self.font()), list(self._crumbs)
        source = f", {self._source}" if self._source else ""
        while len(shown) > 1 and metrics.horizontalAdvance(_CUT * (len(shown) < len(self._crumbs)) + self._plain(shown)) > self.width():
            shown.pop(0)
        cut = _CUT if len(shown) < len(self._crumbs) else ""
        if metrics.horizontalAdvance(cut + self._plain(shown) + source) > self.width():
            source = ""
        theme = current_theme()
        muted, here = theme.color("muted").name(), theme.color("text").name()
        parts = [self._linked(crumb, theme.color("positive").name(), here) for crumb in shown]
        between = f'<span style="color:{muted}">{_BETWEEN}</span>'
        self.setText(
            f'<span style="color:{muted}">{cut}</span>{between.join(parts)}<span style="color:{muted}">{html.escape(source)}</span>'
        )

    def _linked(self, crumb: Crumb, link: str, here: str) -> str:
        text = html.escape(crumb.text)
        if crumb.depth and self._has_links:
            return f'<a href="{crumb.depth}" style="color:{link}; text-decoration:none">{text}</a>'
        return f'<span style="color:{here}">{text}</span>'

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(120, 22)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 22)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._write()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._write()
