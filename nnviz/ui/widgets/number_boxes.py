"""Boxes for numbers: whole ones, real ones in plain or scientific writing, one with a slider. They know a catalog field and no more."""

from __future__ import annotations

import math
import re
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QShowEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QHBoxLayout, QSlider, QSpinBox, QWidget

from nnviz.document.catalog import Field
from nnviz.ui.theme.colors import BODY
from nnviz.ui.theme.fonts import mono

_LARGEST = 2**31 - 1
_STEPS = (1.0, 2.0, 5.0)


class IntegerBox(QSpinBox):
    """A whole number; Page Up and Page Down make steps of ten."""

    value_changed = Signal(object)
    refused = Signal(object)
    """A whole number beyond the limits that was typed; the box shows the old one again, and whoever listens says why."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self.setKeyboardTracking(False)
        self.setFont(mono(BODY))
        low, high = (-_LARGEST if field.minimum is None else field.minimum), (_LARGEST if field.maximum is None else field.maximum)
        self.setRange(int(max(low, -_LARGEST)), int(min(high, _LARGEST)))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumWidth(56)
        self._mixed, self._is_typed = "", False
        self.lineEdit().textEdited.connect(self._note_typed)
        self.lineEdit().textChanged.connect(lambda text: None if text else self._note_typed(""))
        self.valueChanged.connect(self._emit)
        self.editingFinished.connect(self._end_mixed)

    def set_value(self, value: int) -> None:
        """Show this number."""
        self._mixed = ""
        with QSignalBlocker(self):
            self.setValue(int(value))
            self.lineEdit().setText(self.textFromValue(int(value)) + self.suffix())

    def set_mixed(self, text: str) -> None:
        """Stand for several numbers, which `text` names: any number that is typed is another one then."""
        self._mixed = text
        self._show_mixed()

    def _note_typed(self, text: str) -> None:
        """Whether a person wrote what stands there, and not Qt, which ends an empty text by the present number."""
        self._is_typed = bool(text.strip())

    def _show_mixed(self) -> None:
        with QSignalBlocker(self):
            self.lineEdit().setPlaceholderText(self._mixed)
            self.lineEdit().clear()

    def _emit(self, value: int) -> None:
        self._mixed = ""
        self.value_changed.emit(value)

    def _end_mixed(self) -> None:
        """The number of the first of several was typed, which is no change for Qt; or none."""
        if self._mixed and self._is_typed:
            self._emit(self.value())
        elif self._mixed:
            self._show_mixed()

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Every whole number can be typed: digits that are swallowed would leave another number than the one that was meant."""
        state = super().validate(text, position)
        return (QValidator.State.Intermediate, text, position) if self._beyond(text) is not None else state

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._mixed:  # Qt has written the present number
            self._show_mixed()

    def fixup(self, text: str) -> str:
        number = self._beyond(text)
        if number is not None:
            self._is_typed = False
            self.refused.emit(number)
        return str(self.value())

    def _beyond(self, text: str) -> int | None:
        """The whole number that a text is, if it is one beyond the limits."""
        plain = text.strip().removesuffix(self.suffix()).replace(",", "")
        number = int(plain) if re.fullmatch(r"[-+]?\d{1,18}", plain) else None
        return None if number is None or self.minimum() <= number <= self.maximum() else number

    def wheelEvent(self, event: QWheelEvent) -> None:
        wheel_only_with_focus(self, event, super().wheelEvent)


class NumberBox(QAbstractSpinBox):
    """A real number, plain or scientific; the arrows step as suits its size: 1-2-5 for rates, 0.05 for shares, towards 1 by halves."""

    value_changed = Signal(object)
    refused = Signal(object)
    """A number beyond the limits that was typed; the box shows the old one again, and whoever listens says why."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._value = float(field.default or 0.0)
        self._mixed = ""
        self.setFont(mono(BODY))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumWidth(56)
        self.editingFinished.connect(self._commit)

    def value(self) -> float:
        """Return the number."""
        return self._value

    def set_value(self, value: float) -> None:
        """Show this number."""
        self._value, self._mixed = float(value), ""
        self.lineEdit().setText(number_text(self._value))

    def set_mixed(self, text: str) -> None:
        """Stand for several numbers, which `text` names: any number that is typed is another one then."""
        self._mixed = text
        self.lineEdit().setPlaceholderText(text)
        self.lineEdit().clear()

    def typed(self) -> float:
        """Return the number that stands in the field, taken over or not; a text that nobody changed means the number behind it."""
        text = self.lineEdit().text()
        return self._value if text.strip() == number_text(self._value) else _number(text, self._value)

    def _commit(self) -> None:
        if self._mixed and not self.lineEdit().text().strip():
            return
        value = self.typed()
        if value in (self._value, _clamped(value, self.field)):
            self._take(value)
        else:
            self.set_mixed(self._mixed) if self._mixed else self.set_value(self._value)
            self.refused.emit(value)

    def _take(self, value: float) -> None:
        changed = value != self._value or bool(self._mixed)
        self.set_value(value)
        if changed:
            self.value_changed.emit(value)

    def stepBy(self, steps: int) -> None:
        value = self.typed()
        for _ in range(abs(steps)):
            value = _clamped(stepped(value, self.field, steps > 0), self.field)
        self._take(value)
        self.selectAll()

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        return QAbstractSpinBox.StepEnabledFlag.StepUpEnabled | QAbstractSpinBox.StepEnabledFlag.StepDownEnabled

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        return _number_state(text), text, position

    def fixup(self, text: str) -> str:
        return "" if self._mixed else number_text(self._value)

    def wheelEvent(self, event: QWheelEvent) -> None:
        wheel_only_with_focus(self, event, super().wheelEvent)


def stepped(value: float, field: Field, up: bool) -> float:
    """Return the next sensible number above or below `value` for this field."""
    low, high = field.minimum, field.maximum
    share = high is not None and high <= 1 and not 0 < (field.default or 0) < 0.01
    if share:
        return _next_share(value, up)
    if low is not None and low >= 0:
        return _next_of_series(value, up, smallest=max(low, 1e-6 if low == 0 else low))
    tenth = 10.0 ** (math.floor(math.log10(abs(value))) - 1) if value else 0.1
    return round(value + (tenth if up else -tenth), 12)


def _next_share(value: float, up: bool) -> float:
    if value > 0.9 or (value == 0.9 and up):
        return 1 - _next_of_series(round(1 - value, 12), not up, smallest=1e-6)
    return round((math.floor(value / 0.05 + 1e-9) + 1 if up else math.ceil(value / 0.05 - 1e-9) - 1) * 0.05, 6)


def _next_of_series(value: float, up: bool, smallest: float) -> float:
    """The neighbour of a number ≥ 0 in … 0.1 0.2 0.5 1 2 5 …; 0 lies below the smallest."""
    if value <= 0:
        return smallest if up else 0.0
    power = math.floor(math.log10(value) + 1e-9)
    series = [round(step * 10.0**place, 15) for place in range(power - 1, power + 2) for step in _STEPS]
    if up:
        return next(step for step in series if step > value * (1 + 1e-9))
    below = next(step for step in reversed(series) if step < value * (1 - 1e-9))
    return below if below >= smallest * (1 - 1e-9) else 0.0


def _number(text: str, otherwise: float) -> float:
    try:
        value = float(text.strip().replace(",", ".").replace("−", "-"))
    except ValueError:
        return otherwise
    return value if math.isfinite(value) else otherwise


def _number_state(text: str) -> QValidator.State:
    if math.isfinite(_number(text, math.inf)):
        return QValidator.State.Acceptable
    partial = re.fullmatch(r"\s*[-+−]?\d*[.,]?\d*([eE][-+−]?\d*)?\s*", text)
    return QValidator.State.Intermediate if partial else QValidator.State.Invalid


def _clamped(value: float, field: Field) -> float:
    value = value if field.minimum is None else max(field.minimum, value)
    return value if field.maximum is None else min(field.maximum, value)


class SliderBox(QWidget):
    """A slider and a number box that show the same number. `released` is emitted when a drag or a single change is over."""

    value_changed = Signal(object)
    refused = Signal(object)
    """A number beyond the limits that was typed."""
    released = Signal()

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, round(100 * min(1.0, field.maximum - field.minimum)))
        self._slider.setAccessibleName(f"{field.name} slider")
        self._box = NumberBox(field)
        self._box.setFixedWidth(64)
        self._box.setAccessibleName(field.name)
        in_a_row(self, self._slider, self._box)
        self.setFocusProxy(self._box)
        self._slider.valueChanged.connect(self._slid)
        self._slider.sliderReleased.connect(self.released)
        self._box.value_changed.connect(self._typed)
        self._box.refused.connect(self.refused)

    def value(self) -> float:
        """Return the number."""
        return self._box.value()

    def set_value(self, value: float) -> None:
        """Show this number."""
        self._box.set_value(value)
        low, high = self.field.minimum, self.field.maximum
        if not self._slider.isSliderDown():
            with QSignalBlocker(self._slider):
                self._slider.setValue(round(self._slider.maximum() * (value - low) / (high - low)))

    def _slid(self, place: int) -> None:
        low, high = self.field.minimum, self.field.maximum
        value = _clamped(round(low + place / self._slider.maximum() * (high - low), 2), self.field)
        if value != self._box.value():
            self._box.set_value(value)
            self.value_changed.emit(value)
        if not self._slider.isSliderDown():
            self.released.emit()

    def _typed(self, value: float) -> None:
        self.set_value(value)
        self.value_changed.emit(value)
        self.released.emit()


def number_text(value: float) -> str:
    """Return a number as short as it can be written with 6 significant digits: 0.01, 1e-08, 32."""
    text = f"{value:.6g}"
    mantissa, _, power = text.partition("e")
    return f"{mantissa}e{int(power)}" if power else text


def in_a_row(parent: QWidget, *widgets: QWidget) -> None:
    """Lay widgets side by side in `parent`, without margins; the last one takes the room that is left."""
    row = QHBoxLayout(parent)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(6)
    for widget in widgets:
        row.addWidget(widget, 1 if widget is widgets[-1] else 0)


def wheel_only_with_focus(widget: QWidget, event: QWheelEvent, turn: Any) -> None:
    """Let the wheel scroll the panel instead of changing what somebody only passes over."""
    turn(event) if widget.hasFocus() else event.ignore()
