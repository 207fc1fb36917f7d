"""The start menu: every template with its picture and a line of what it shows. Enter or a double click chooses one."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QPainter, QPen, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from nnviz.document.templates import TEMPLATES, template
from nnviz.ui.canvas.thumbnails import SIZE, thumbnail
from nnviz.ui.fonts import sans
from nnviz.ui.theme import BODY, GUTTER, RADIUS, SMALL, Theme

_CELL = QSize(SIZE.width() + 24, SIZE.height() + 74)
_COLUMNS, _ROWS = 4, 4
_NAME = Qt.ItemDataRole.UserRole
_EXPLANATION = Qt.ItemDataRole.UserRole + 1


class TemplateGallery(QDialog):
    """Pictures to choose from with the mouse or the arrow keys; `chosen` names the template."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("New from template")
        self.setAccessibleName("New from template")
        self.list = QListView(accessibleName="Templates", viewMode=QListView.ViewMode.IconMode, resizeMode=QListView.ResizeMode.Adjust)
        self.list.setGridSize(_CELL)
        self.list.setMovement(QListView.Movement.Static)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setItemDelegate(_Cell(theme, self))
        self.list.setModel(_model(theme, self))
        self.list.setCurrentIndex(self.list.model().index(0, 0))
        self.list.activated.connect(lambda _: self.accept())
        self.accepted.connect(lambda: self.chosen.emit(self.list.currentIndex().data(_NAME)))
        self._fill()
        size = QSize(_COLUMNS * _CELL.width() + 3 * GUTTER, _ROWS * _CELL.height() + 90)
        self.resize(size.boundedTo(parent.size() - QSize(4 * GUTTER, 4 * GUTTER)) if parent else size)

    def _fill(self) -> None:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        for button in buttons.buttons():
            button.setAccessibleName(button.text().replace("&", ""))
        head = QLabel("A net to begin with: it opens with data, trains at once, and can be changed like any other.")
        head.setProperty("role", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
        for widget in (head, self.list, buttons):
            layout.addWidget(widget)
        self.list.setFocus()


def _model(theme: Theme, parent: QWidget) -> QStandardItemModel:
    model = QStandardItemModel(parent)
    for name, explanation in TEMPLATES.items():
        experiment = template(name)
        item = QStandardItem(experiment.title)
        item.setData(thumbnail(experiment, theme), Qt.ItemDataRole.DecorationRole)
        item.setData(name, _NAME)
        item.setData(explanation, _EXPLANATION)
        item.setData(f"{experiment.title}: {explanation}", Qt.ItemDataRole.AccessibleTextRole)
        item.setToolTip(explanation)
        model.appendRow(item)
    return model


class _Cell(QStyledItemDelegate):
    """One template: a frame, its picture, its name, what it shows."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    # --- Qt ---

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return _CELL

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame, theme = option.rect.adjusted(5, 5, -5, -5), self._theme
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.setPen(QPen(theme.color("forward" if chosen else "line"), 2 if chosen else 1))
        painter.setBrush(theme.color("panel"))
        painter.drawRoundedRect(frame, RADIUS, RADIUS)
        painter.drawPixmap(frame.left() + (frame.width() - SIZE.width()) // 2, frame.top() + 4, index.data(Qt.ItemDataRole.DecorationRole))
        texts = QRect(frame.left() + 8, frame.top() + SIZE.height() + 4, frame.width() - 16, frame.height() - SIZE.height() - 6)
        painter.setPen(theme.color("text"))
        painter.setFont(sans(BODY, QFont.Weight.DemiBold))
        painter.drawText(texts, Qt.AlignmentFlag.AlignHCenter, index.data())
        painter.setPen(theme.color("muted"))
        painter.setFont(sans(SMALL))
        painter.drawText(texts.adjusted(0, 20, 0, 0), Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap, index.data(_EXPLANATION))
        painter.restore()
