"""What plane a person wants to see the loss over: its kind, two weights, a seed, how fine, over which rows. It asks for nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QSpinBox, QWidget

from nnviz.records.task_records import OtherRun, PlaneTask, WeightPlace
from nnviz.text import numbers
from nnviz.text.names import parameter_title
from nnviz.ui.theme.colors import GRID
from nnviz.ui.widgets.element_picker import ElementPicker
from nnviz.ui.widgets.header_button import PopupButton, choice

PLANES = {"path": "path", "weights": "weights", "random": "random"}
SIZES = (21, 41, 81)
_ROWS = {"all": "all training rows", "batch": "rows of the next batch"}
_MODES = {"evaluation": "evaluation: no dropout", "training": "training: masks of the next iteration"}
_LARGEST_SEED = 999_999


class PlaneSettings(QWidget):
    """A form; `plane` and `opener`, a button that opens it, are for the header of the panel."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._shapes: Mapping[str, tuple[int, ...]] = {}
        self._titles: Mapping[str, str] = {}
        self._weights = [WeightPlace(""), WeightPlace("")]
        self.plane = choice("Through what the plane lies", PLANES, "path")
        self.pickers = (ElementPicker(), ElementPicker())
        self.seed = QSpinBox(accessibleName="Seed of the random directions", maximum=_LARGEST_SEED)
        self.size = _box({str(size): f"{size} × {size}" for size in SIZES}, "41", "Points of the plane")
        self.rows = _box(_ROWS, "all", "Rows the loss is over")
        self.mode = _box(_MODES, "evaluation", "Mode of the network")
        self.others = QCheckBox("paths of the other branches", checked=True)
        self._form = QFormLayout(self)
        self._form.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        for picker in self.pickers:
            picker.layout().setContentsMargins(0, 0, 0, 0)
        for label, widget in (
            ("across", self.pickers[0]),
            ("up", self.pickers[1]),
            ("seed", self.seed),
            ("points", self.size),
            ("rows", self.rows),
            ("mode", self.mode),
            ("", self.others),
        ):
            self._form.addRow(label, widget)
        self.opener = PopupButton("How the plane is computed", self)
        self.opener.set_text("…")
        self._listen()
        self._show_rows()

    def _listen(self) -> None:
        self.plane.chosen.connect(self._show_rows)
        for place, picker in enumerate(self.pickers):
            picker.picked.connect(lambda number, element, place=place: self._pick(place, number, element))
        for signal in (self.plane.chosen, self.seed.valueChanged, self.size.activated, self.rows.activated, self.mode.activated):
            signal.connect(lambda *_: self.changed.emit())
        self.others.toggled.connect(lambda *_: self.changed.emit())

    def set_parameters(self, shapes: Mapping[str, tuple[int, ...]], titles: Mapping[str, str]) -> None:
        """Offer these parameters, name to shape; layers are called by these titles. Weights that are still there stay chosen."""
        if (shapes, titles) == (self._shapes, self._titles):
            return
        self._shapes, self._titles, self._names = dict(shapes), dict(titles), tuple(shapes)
        entries = [(number, parameter_title(name, titles), shapes[name]) for number, name in enumerate(self._names)]
        defaults = _first_two(shapes)
        for place, picker in enumerate(self.pickers):
            picker.set_parameters(entries)
            if not _is_in(self._weights[place], shapes) and len(defaults) == 2:
                self._weights[place] = defaults[place]
            self._show_weight(place)

    def task(self, others: Sequence[OtherRun]) -> PlaneTask:
        """Return what is to be asked for; `others`: the runs whose paths can be drawn too."""
        kind = self.plane.key
        return PlaneTask(
            kind,
            weights=tuple(self._weights) if kind == "weights" else (),
            seed=self.seed.value() if kind == "random" else 0,
            size=int(self.size.currentData()),
            rows=self.rows.currentData(),
            mode=self.mode.currentData(),
            others=tuple(others) if self.others.isChecked() else (),
        )

    def axis_names(self, task: PlaneTask) -> tuple[str, str]:
        """Return what the axes of such a plane are called."""
        if task.plane == "weights":
            first, second = (f"{parameter_title(w.parameter, self._titles)} {numbers.place(w.element)}" for w in task.weights)
            return first, second
        return ("1st direction of the path", "2nd") if task.plane == "path" else ("random direction 1", "2")

    def _pick(self, place: int, number: int, element: tuple[int, ...]) -> None:
        self._weights[place] = WeightPlace(self._names[number], element)
        self._show_weight(place)
        self.changed.emit()

    def _show_weight(self, place: int) -> None:
        weight = self._weights[place]
        if weight.parameter in self._names:
            self.pickers[place].set_element(self._names.index(weight.parameter), weight.element)

    def _show_rows(self) -> None:
        """Only what this kind of plane depends on."""
        kind = self.plane.key
        for picker in self.pickers:
            self._form.setRowVisible(picker, kind == "weights")
        self._form.setRowVisible(self.seed, kind == "random")


def _box(choices: Mapping[str, str], present: str, name: str) -> QComboBox:
    box = QComboBox(accessibleName=name, toolTip=name)
    for key, text in choices.items():
        box.addItem(text, key)
    box.setCurrentIndex(box.findData(present))
    return box


def _first_two(shapes: Mapping[str, tuple[int, ...]]) -> list[WeightPlace]:
    """The first two weights there are."""
    found: list[WeightPlace] = []
    for name, shape in shapes.items():
        for number in range(min(2 - len(found), math.prod(shape))):
            found.append(WeightPlace(name, tuple(int(index) for index in np.unravel_index(number, shape))))
    return found


def _is_in(weight: WeightPlace, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    shape = shapes.get(weight.parameter)
    return shape is not None and len(shape) == len(weight.element) and all(p < s for p, s in zip(weight.element, shape, strict=True))
