"""The breakpoints on the screen: a button that says what is on, and the list it opens. They ask for changes and make none."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from PySide6.QtCore import QPointF, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QComboBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from nnviz.document.breakpoints import KINDS, Breakpoint, described, titled
from nnviz.document.catalog import Field
from nnviz.ui.theme.colors import BODY, GRID, GUTTER, current_theme
from nnviz.ui.theme.fonts import mono
from nnviz.ui.theme.painting import painted
from nnviz.ui.widgets.breakpoint_sign import paint_breakpoint
from nnviz.ui.widgets.number_boxes import NumberBox

OFFERED = ("gradient", "activation", "non_finite", "loss_rising", "parameter")
"""The kinds the form can add; those on nodes come from the graph."""
SYMBOLS = {"gradient": "|g|", "activation": "|a|"}
_THRESHOLDS = {"gradient": 5.0, "activation": 5.0, "loss_rising": 0.0}
"""What the form begins with."""
_HEIGHT = 26
_WIDEST = 200


class BreakpointButton(QAbstractButton):
    """A diamond, and what is on: one breakpoint in words, several by their number."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_any_on = False
        self.setAccessibleName("Breakpoints")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.set_breakpoints((), {})

    def set_breakpoints(self, breakpoints: Sequence[Breakpoint], titles: Mapping[str, str]) -> None:
        """Show these. `titles`: layer id -> name on the screen."""
        on = [one for one in breakpoints if one.enabled]
        self._is_any_on = bool(on)
        texts = {
            0: "breakpoints" if not breakpoints else f"breakpoints: {len(breakpoints)} off",
            1: f"breakpoint: {_short(on[0], titles)}" if on else "",
        }
        self.setText(texts.get(len(on), f"{len(on)} breakpoints"))
        self.setToolTip("\n".join(["Where stepping and training stop (Ctrl+F9)", *(f"◆ {described(one, titles)}" for one in on)]))
        self.setAccessibleDescription(self.text())
        self.updateGeometry()
        self.update()

    # --- Qt ---

    def sizeHint(self) -> QSize:
        return QSize(min(_WIDEST, QFontMetrics(mono(BODY)).horizontalAdvance(self.text()) + 32), _HEIGHT)

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = current_theme()
        painter.setPen(theme.color("forward") if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("field") if self.underMouse() else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        paint_breakpoint(painter, theme, QPointF(13, self.height() / 2), self._is_any_on, 4.5)
        painter.setFont(mono(BODY))
        painter.setPen(theme.color("text" if self._is_any_on else "muted"))
        room = self.rect().adjusted(24, 0, -6, 0)
        text = QFontMetrics(painter.font()).elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()


def _short(one: Breakpoint, titles: Mapping[str, str]) -> str:
    words = described(one, titles)
    return words.replace(f"|{one.kind}|", SYMBOLS[one.kind]) if one.kind in SYMBOLS else words


class BreakpointList(QDialog):
    """All breakpoints, each to be switched and deleted, and a form that adds another. It is there until one clicks elsewhere, or Esc."""

    add_requested = Signal(str, dict)
    """A kind, and values for its fields."""
    switch_requested = Signal(int, bool)
    remove_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAccessibleName("Breakpoints")
        self._listed: tuple[str, ...] = ()
        self._rows = QGridLayout()
        self._rows.setSpacing(GRID)
        self._rows.setColumnStretch(0, 1)
        self.form = BreakpointForm()
        self.form.add_requested.connect(self.add_requested)
        self._empty = QLabel("None yet. F9 puts one on the node the cursor is at, or on the selected one.", wordWrap=True)
        self._empty.setProperty("role", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
        layout.setSpacing(2 * GRID)
        for part in (_head("BREAKPOINTS"), self._empty):
            layout.addWidget(part)
        layout.addLayout(self._rows)
        layout.addWidget(_head("STOP WHEN"))
        layout.addWidget(self.form)
        self.setMinimumWidth(520)

    def set_breakpoints(self, breakpoints: Sequence[Breakpoint], titles: Mapping[str, str], absent: Collection[Breakpoint] = ()) -> None:
        """List these; those that name a node the present graph does not have are marked so."""
        listed = tuple(described(one, titles) + (" (not in this graph)" if one in absent else "") for one in breakpoints)
        if listed != self._listed:
            self._list(listed, breakpoints)
        for place, one in enumerate(breakpoints):
            switch = self._rows.itemAtPosition(place, 0).widget()
            with QSignalBlocker(switch):
                switch.setChecked(one.enabled)
        self._empty.setVisible(not breakpoints)
        self.adjustSize()

    def _list(self, listed: tuple[str, ...], breakpoints: Sequence[Breakpoint]) -> None:
        self._listed = listed
        while item := self._rows.takeAt(0):
            item.widget().hide()
            item.widget().deleteLater()
        for place, (words, one) in enumerate(zip(listed, breakpoints, strict=True)):
            self._add_row(place, words, one)

    def _add_row(self, place: int, words: str, one: Breakpoint) -> None:
        switch = QCheckBox(words, toolTip=KINDS[one.kind].explanation)
        switch.toggled.connect(lambda on: self.switch_requested.emit(place, on))
        delete = QToolButton(text="×", toolTip="Delete this breakpoint", accessibleName=f"Delete {words}", autoRaise=True)
        delete.setProperty("flat", True)
        delete.clicked.connect(lambda: self.remove_requested.emit(place))
        self._rows.addWidget(switch, place, 0)
        self._rows.addWidget(delete, place, 1)

    # --- Qt ---

    @painted
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Base))
        painter.setPen(self.palette().color(QPalette.ColorRole.Mid))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))


class BreakpointForm(QWidget):
    """One line that makes a breakpoint: what is looked at, where, and the number it is compared with."""

    add_requested = Signal(str, dict)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._places: dict[str, list[tuple[str, str]]] = {}
        self.kind = QComboBox(accessibleName="What is looked at")
        self.target = QComboBox(accessibleName="Where")
        self.comparison = QComboBox(accessibleName="Above or below")
        self.threshold = NumberBox(Field("threshold", "number", 1.0, "the number it is compared with", 0.0, 1e300))
        self.threshold.setAccessibleName("Threshold")
        self.add = QPushButton("Add", accessibleName="Add this breakpoint", autoDefault=False)  # Return in a list is about the list
        self._amount = QLabel("in one iteration, by more than")
        self._thresholds = dict(_THRESHOLDS)
        self._shown_kind = ""
        for kind in OFFERED:
            self.kind.addItem(KINDS[kind].label, kind)
            self.kind.setItemData(self.kind.count() - 1, KINDS[kind].explanation, Qt.ItemDataRole.ToolTipRole)
        for text, comparison in (("above", "above"), ("below", "below")):
            self.comparison.addItem(text, comparison)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        for widget in (self.kind, self.target, self.comparison, self._amount, self.threshold):
            row.addWidget(widget)
        row.addStretch()
        row.addWidget(self.add)
        for box in (self.target, self.comparison):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.threshold.setFixedWidth(76)
        self.kind.currentIndexChanged.connect(self._fit)
        self.add.clicked.connect(lambda: self.add_requested.emit(self.kind.currentData(), self.settings()))
        self._fit()

    def set_places(self, layers: Sequence[str], parameters: Sequence[str], titles: Mapping[str, str]) -> None:
        """Offer these layers and parameters, by id and name."""
        named = [(titled(name, titles), name) for name in parameters]
        self._places = {
            "gradient": [("in any parameter", ""), *named],
            "activation": [("in any layer", ""), *((titles.get(id, id), id) for id in layers)],
            "parameter": named,
        }
        self._fit()

    def settings(self) -> dict[str, object]:
        """Return the values of the fields that the chosen kind has."""
        values = {"target": self.target.currentData(), "comparison": self.comparison.currentData(), "threshold": self.threshold.value()}
        return {field.name: values[field.name] for field in KINDS[self.kind.currentData()].fields}

    def _fit(self) -> None:
        """Show what the chosen kind has a field for."""
        kind, chosen = self.kind.currentData(), self.target.currentData()
        fields = {field.name for field in KINDS[kind].fields}
        self.target.clear()
        for text, target in self._places.get(kind, ()):
            self.target.addItem(text, target)
        self.target.setCurrentIndex(max(0, self.target.findData(chosen)))
        for name in ("target", "comparison", "threshold"):
            getattr(self, name).setVisible(name in fields)
        self._amount.setVisible(kind == "loss_rising")
        self._swap_thresholds(kind)
        self.add.setEnabled(kind != "parameter" or self.target.count() > 0)

    def _swap_thresholds(self, kind: str) -> None:
        """Each kind keeps a number of its own: a gradient of 5 is large, a loss that rises by 5 is a wreck."""
        if kind != self._shown_kind:
            if self._shown_kind in self._thresholds:
                self._thresholds[self._shown_kind] = self.threshold.typed()
            self.threshold.set_value(self._thresholds.get(kind, 0.0))
            self.threshold.setToolTip(next((field.explanation for field in KINDS[kind].fields if field.name == "threshold"), ""))
            self._shown_kind = kind

    # --- Qt ---

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return adds what is written, from the number or the button."""
        is_return = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_return and (self.threshold.hasFocus() or self.add.hasFocus()):
            self.add.click()
        elif not is_return:
            super().keyPressEvent(event)


def _head(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "head")
    return label
