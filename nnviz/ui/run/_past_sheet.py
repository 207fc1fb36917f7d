"""The small sheet on which a person says which number of the past is asked for, or what became true in it. It only asks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from nnviz.document.catalog import Field
from nnviz.document.network import split_parameter
from nnviz.records.hindsight_record import OF_TENSORS, Predicate, Question
from nnviz.text.captions import tensor_text
from nnviz.text.question_text import OF, STATISTICS
from nnviz.ui.theme.colors import GRID, GUTTER
from nnviz.ui.theme.fonts import scaled
from nnviz.ui.widgets.number_boxes import NumberBox
from nnviz.ui.widgets.placing import open_below_bar

_THRESHOLD = Field("threshold", "number", 0.1, "the number it has to pass", -1e12, 1e12)
_GOOD = 0.95
"""The accuracy that is suggested."""
_ONE = {"one weights": "value of one weight", "one gradients": "gradient of one weight", "one updates": "update of one weight"}
_ROWS = {"validation": "validation rows", "training": "training rows", "some": "some training rows"}
_OF_UNITS = ("dead", "saturated")
_EVENTS = {"dead": "a unit is dead", "non_finite": "something is not finite"}
_WIDTH = 190
"""Of a choice in pixels, at 100 % of the text size."""


@dataclass(frozen=True)
class Askable:
    """What there is to ask about: names of layers, shapes of parameters, what the metric is called, and the weight that is chosen."""

    titles: Mapping[str, str]
    parameters: Mapping[str, tuple[int, ...]]
    score: str
    weight: tuple[str, tuple[int, ...]] = ("", ())
    layer: str = ""
    """The layer that is selected; empty for none."""

    @property
    def trained(self) -> list[str]:
        """Ids of the layers that have parameters."""
        return list(dict.fromkeys(split_parameter(name).layer for name in self.parameters))


class PastSheet(QDialog):
    """Which number, of what; below it two questions: how it went, and when it first was above or below another."""

    curve_chosen = Signal(object)
    """records.hindsight_record.Question"""
    first_chosen = Signal(object)
    """records.hindsight_record.Predicate"""

    def __init__(self, there: Askable, last: int, parent: QWidget | None = None) -> None:
        """`last`: how far the run has come."""
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAccessibleName("Ask the past")
        self._there = there
        self._names: dict[QWidget, QLabel] = {}
        """What stands before each row."""
        self.what, self.where, self.statistic = (QComboBox(accessibleName=name) for name in ("What", "Of which", "Which number"))
        self.element = QLineEdit(accessibleName="Which element, or which rows")
        self.comparison, self.threshold = QComboBox(accessibleName="Comparison"), NumberBox(_THRESHOLD)
        self.comparison.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.threshold.setAccessibleName("Number")
        self.threshold.set_value(_THRESHOLD.default)
        self.problem = QLabel()
        self.problem.setProperty("role", "muted")
        self.draw, self.find = QPushButton(f"curve over all {last:,} iterations"), QPushButton("find")
        for box in (self.what, self.where, self.statistic):
            box.setFixedWidth(round(scaled(_WIDTH)))
        for key, text in (OF | _ONE | {"loss": "loss", "metric": there.score}).items():
            if there.parameters or key in ("activations", "loss", "metric"):
                self.what.addItem(text, key)
        self._lay_out()
        self.what.currentIndexChanged.connect(self._offer_places)
        self.where.currentIndexChanged.connect(self._suggest)
        self.statistic.currentIndexChanged.connect(self._check)
        self.element.textChanged.connect(self._check)
        self.comparison.currentIndexChanged.connect(self._check)
        self.draw.clicked.connect(lambda: self._leave(self.curve_chosen, self.question))
        self.find.clicked.connect(lambda: self._leave(self.first_chosen, self.predicate))
        self.what.setCurrentIndex(max(0, self.what.findData("one weights" if there.weight[0] in there.parameters else "gradients")))
        self._offer_places()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(GUTTER, GUTTER, GUTTER, GUTTER)
        column.setSpacing(2 * GRID)
        column.addWidget(_said("ASK THE PAST", "head"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        for row, (name, widget) in enumerate(
            (("what", self.what), ("of", self.where), ("which", self.statistic), ("at", self.element), ("", self.problem))
        ):
            self._names[widget] = _said(name, "muted")
            grid.addWidget(self._names[widget], row, 0)
            grid.addWidget(widget, row, 1)
        column.addLayout(grid)
        column.addWidget(self.draw)
        column.addWidget(_said("or: when was it first", "muted"))
        row = QHBoxLayout()
        for widget in (self.comparison, self.threshold, self.find):
            row.addWidget(widget)
        column.addLayout(row)
        for button in (self.draw, self.find):
            button.setAutoDefault(False)

    # --- what stands there ---

    @property
    def question(self) -> Question | None:
        """The number that is chosen; None where what was typed is no place in it."""
        key, where = self.what.currentData(), self.where.currentData()
        if key in ("loss", "metric"):
            rows = self._numbers() if where == "some" else where
            return Question(key, rows=rows) if rows else None
        if key in _ONE:
            element, shape = self._numbers(), self._there.parameters[where]
            fits = element is not None and len(element) == len(shape) and all(at < size for at, size in zip(element, shape, strict=True))
            return Question(key.removeprefix("one "), parameter=where, element=element) if fits else None
        return Question(key, where, statistic=self.statistic.currentData())

    @property
    def predicate(self) -> Predicate | None:
        """What became true, as it stands in the last row."""
        question, event = self.question, self.comparison.currentData()
        if event in _EVENTS and question:
            return Predicate(Question(question.of, question.layer, statistic=event), "above", 0.0)
        return Predicate(question, event, self.threshold.value()) if question else None

    def _numbers(self) -> tuple[int, ...] | None:
        """The whole numbers that were typed; None where something else was."""
        text = self.element.text().strip()
        return tuple(map(int, re.findall(r"\d+", text))) if re.fullmatch(r"[\[( ]*\d+([ ,]+\d+)*[\]) ]*", text) else None

    def _offer_places(self) -> None:
        """Offer what the chosen thing can be of, and which numbers there are of it."""
        key, there = self.what.currentData(), self._there
        if key in ("loss", "metric"):
            places, chosen = _ROWS, "validation"
        elif key in _ONE:
            places = {name: _parameter_text(name, there.titles) for name in there.parameters}
            chosen = there.weight[0]
        else:
            ids = list(there.titles) if key == "activations" else there.trained
            places, chosen = {id: there.titles.get(id, id) for id in ids}, there.layer
        _fill(self.where, places, chosen)
        is_tensor = key in OF_TENSORS
        numbers = {name: text for name, text in STATISTICS.items() if key == "activations" or name not in _OF_UNITS}
        _fill(self.statistic, numbers, self.statistic.currentData())
        self._show_row(self.statistic, is_tensor)
        events = {name: text for name, text in _EVENTS.items() if is_tensor and (name == "non_finite" or key == "activations")}
        rises = key == "metric" and there.score == "accuracy"  # it is waited for to rise, all else to fall
        _fill(self.comparison, {"below": "below", "above": "above"} | events, "above" if rises else self.comparison.currentData())
        if rises:
            self.threshold.set_value(_GOOD)
        self._suggest()

    def _suggest(self) -> None:
        """Let the element be the chosen weight's, or the first."""
        key, where = self.what.currentData(), self.where.currentData()
        self._show_row(self.element, key in _ONE or where == "some")
        self._names[self.element].setText("rows" if where == "some" else "at")
        if key in _ONE and where in self._there.parameters:
            parameter, element = self._there.weight
            shape = self._there.parameters[where]
            self.element.setText(", ".join(map(str, element if where == parameter and len(element) == len(shape) else (0,) * len(shape))))
        else:
            self.element.clear()
        self._check()

    def _show_row(self, widget: QWidget, is_needed: bool) -> None:
        widget.setVisible(is_needed)
        self._names[widget].setVisible(is_needed)

    def _check(self) -> None:
        """Say what is missing, and let nothing be asked that cannot be answered."""
        self.threshold.setVisible(self.comparison.currentData() not in _EVENTS)
        is_sound = self.question is not None
        self._show_row(self.problem, not is_sound)
        self.draw.setEnabled(is_sound)
        self.find.setEnabled(is_sound)
        if is_sound:
            self.problem.setText("")
        elif self.what.currentData() in _ONE:
            shape = self._there.parameters.get(self.where.currentData(), ())
            self.problem.setText(f"Type places below {', '.join(map(str, shape))}.")
        else:
            self.problem.setText("Type row numbers, as 0, 3, 5.")
        if self.isVisible():
            self.adjustSize()

    def _leave(self, signal: Signal, what: object) -> None:
        self.accept()
        signal.emit(what)

    def open_over(self, window: QWidget) -> None:
        """Open below the bar of the window; gone once it is closed."""
        self.adjustSize()
        open_below_bar(self, window, self.what)


def _parameter_text(name: str, titles: Mapping[str, str]) -> str:
    layer, tensor = split_parameter(name)
    return f"{titles.get(layer, layer)} {tensor_text(tensor)}"


def _said(text: str, role: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", role)
    return label


def _fill(box: QComboBox, texts: Mapping[str, str], chosen: str | None) -> None:
    """Offer these, without saying so; what was chosen stays chosen where it is still there."""
    before = box.blockSignals(True)
    box.clear()
    for key, text in texts.items():
        box.addItem(text, key)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    box.blockSignals(before)
