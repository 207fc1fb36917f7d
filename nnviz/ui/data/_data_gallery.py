"""All kinds of data as a grid of pictures with a search field above. Arrow keys walk, Enter or a click chooses."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QListView,
    QListWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from nnviz.document.catalog import DATASETS, Kind
from nnviz.records.data_record import DataRecord
from nnviz.ui.data.rows_picture import paint_rows
from nnviz.ui.theme.colors import BODY, GRID, SMALL, current_theme
from nnviz.ui.theme.fonts import sans
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.search_list import KEY, ListEntry, SearchList

TILE = QSize(140, 118)
_CAPTION = 34
_OWN = {"csv": "drop a file,\nor choose one", "table": "click points\ninto the plane"}
"""What is said in place of a picture."""


class DataGallery(QWidget):
    """Tiles of all data sets; the chosen one is outlined."""

    kind_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = QLineEdit(placeholderText="Search data…", accessibleName="Search data sets", clearButtonEnabled=True)
        self.list = QListWidget(accessibleName="Data sets")
        self.tiles = Tiles(self.list)
        _prepare(self.list, self.tiles)
        self._search = SearchList(self.field, self.list, [_entry(kind) for kind in DATASETS.values()], spacing=2 * GRID)
        self._search.chosen.connect(self.kind_requested.emit)
        self._search.chosen.connect(self.field.selectAll)  # the next word takes the place of this one
        self.field.textChanged.connect(lambda: self._search.mark(self.tiles.chosen))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._search)

    def set_chosen(self, kind: str) -> None:
        """Outline this kind."""
        if kind != self.tiles.chosen:
            self.tiles.set_chosen(kind)
            self._search.mark(kind)
            self.list.viewport().update()

    def set_rows(self, kind: str, data: DataRecord | None) -> None:
        """Draw these rows on the tile of a kind."""
        if data is not None:
            self.tiles.set_rows(kind, data)
            self.list.viewport().update()

    def shown(self) -> tuple[str, ...]:
        """Return the kinds that the search leaves over."""
        return self._search.keys()


def _entry(kind: Kind) -> ListEntry:
    tip = f"{kind.label}: {kind.explanation}" + (f"\n{kind.source}" if kind.source else "")
    return ListEntry(kind.name, kind.label, tip, about=f"{kind.name} {kind.group} {kind.explanation}")


def _prepare(view: QListWidget, tiles: Tiles) -> None:
    view.setItemDelegate(tiles)
    view.setViewMode(QListView.ViewMode.IconMode)
    view.setMovement(QListView.Movement.Static)
    view.setResizeMode(QListView.ResizeMode.Adjust)
    view.setUniformItemSizes(True)
    view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    view.setSpacing(GRID)
    view.viewport().setAutoFillBackground(False)
    view.setStyleSheet("QListView { background: transparent; }")


class Tiles(QStyledItemDelegate):
    """Paints a data set: its rows, and below them its name and what it is."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.chosen = ""
        self.rows: dict[str, DataRecord] = {}

    def set_chosen(self, kind: str) -> None:
        """Outline this kind."""
        self.chosen = kind

    def set_rows(self, kind: str, data: DataRecord) -> None:
        """Draw these rows on the tile of a kind."""
        self.rows[kind] = data

    def _frame(self, painter: QPainter, area: QRectF, option: QStyleOptionViewItem, is_chosen: bool) -> None:
        theme, state = current_theme(), option.state
        is_marked = bool(state & QStyle.StateFlag.State_Selected) and bool(state & QStyle.StateFlag.State_Active)
        painter.setPen(QPen(theme.color("forward" if is_chosen or is_marked else "line"), 2 if is_chosen else 1))
        painter.setBrush(theme.tint("forward", 0.06) if is_chosen else theme.color("panel"))
        painter.drawRoundedRect(area, 8, 8)

    def _picture(self, painter: QPainter, area: QRectF, kind: str) -> None:
        painter.setPen(current_theme().color("faint"))
        painter.setFont(sans(SMALL))
        if kind in self.rows:
            paint_rows(painter, area, current_theme(), self.rows[kind])
        else:
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, _OWN.get(kind, "…"))

    # --- Qt ---

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return TILE

    @painted
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        kind = DATASETS[index.data(KEY)]
        area = QRectF(option.rect).adjusted(1.5, 1.5, -1.5, -1.5)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._frame(painter, area, option, kind.name == self.chosen)
        self._picture(painter, area.adjusted(3, 3, -3, -_CAPTION - 2), kind.name)
        text = QRectF(area.left() + 8, area.bottom() - _CAPTION, area.width() - 16, _CAPTION / 2)
        for words, color, font in (
            (kind.label, "text", sans(BODY, QFont.Weight.DemiBold)),
            (kind.group, "muted", sans(SMALL)),
        ):
            painter.setFont(font)
            painter.setPen(current_theme().color(color))
            shown = QFontMetrics(font).elidedText(words, Qt.TextElideMode.ElideRight, int(text.width()))
            painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, shown)
            text.translate(0, _CAPTION / 2 - 2)
        painter.restore()
