"""A learner's own gradients beside the present trace: the sheet they are typed or pasted into, and what is found about them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QObject, QPoint, QTimer, Signal
from PySide6.QtWidgets import QWidget

from nnviz.lessons.gradient_check import UNKNOWN_NAME, GradientChecker, GradientVerdicts
from nnviz.lessons.gradient_text import GradientTextError, read, read_array
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_matching import shown_node
from nnviz.records.trace_state import TraceState
from nnviz.session.gradient_search import GradientSearch
from nnviz.session.trace_source import TraceSource
from nnviz.text import names
from nnviz.ui.checking._gradient_sheet import GradientRow, GradientSheet

_MOST = 1_000
"""Gradients that are worked out at once to find a slip, about a tenth of a second; for more the search goes on beside the window."""
_REST = 300
"""Milliseconds that a trace has to stay on the screen until the gradients are held against it: not each of those that training shows."""


class CheckingFeature(QObject):
    """One sheet for one window, made when it is first asked for. The same in the window of a session and in that of a recorded trace."""

    node_requested = Signal(int)
    """A node that shall be seen in the graph."""

    def __init__(self, source: TraceSource, window: QWidget) -> None:
        super().__init__(window)
        self.source = source
        self.sheet: GradientSheet | None = None
        self._index: TraceIndex | None = None
        self._checker: GradientChecker | None = None
        self._faults: dict[str, str] = {}
        self._search = GradientSearch(self)
        self._search.progressed.connect(self._show_search)
        self._search.found.connect(self._show_found)
        self._resting = QTimer(self, singleShot=True, interval=_REST)
        self._resting.timeout.connect(self._check)
        source.stepping.trace_state_changed.connect(lambda old, new: self._follow(new))

    def open(self) -> None:
        """Show the sheet, with the keyboard in its table."""
        if self.sheet is None:
            window: QWidget = self.parent()
            self.sheet = GradientSheet(window)
            self.sheet.changed.connect(self._check)
            self.sheet.pasted.connect(self._paste)
            self.sheet.shown.connect(self._show_node)
            self.sheet.cancel_wanted.connect(self._search.cancel)
            self.sheet.finished.connect(self._search.cancel)
            corner = window.geometry().topRight() - self.sheet.rect().topRight()
            self.sheet.move(corner + QPoint(-24, 96))  # where most of the graph stays in sight
        self.sheet.show()
        self.sheet.raise_()
        self.sheet.activateWindow()
        self._follow(self.source.stepping.state)
        self.sheet.table.setFocus()

    def _follow(self, state: TraceState | None) -> None:
        """Be about the trace on the screen; what was typed stays."""
        if self.sheet is None or not self.sheet.isVisible() or (state.index if state else None) is self._index:
            return
        self._search.cancel()
        self._index = state.index if state else None
        self._checker = GradientChecker(self._index, _MOST) if self._index else None
        rows = [GradientRow(one.name, one.node, self._checker.index.node(one.node).shape) for one in self._named()]
        self.sheet.set_rows(rows, names.iteration(self._index.trace) if self._index else "no iteration")
        self.sheet.set_verdicts({}, {}, "")
        self._resting.start()

    def _named(self) -> tuple:
        return self._checker.named if self._checker else ()

    # --- checking ---

    def _check(self) -> None:
        """Judge what stands in the cells."""
        if self._checker is None:
            return
        self._resting.stop()
        self._search.cancel()
        arrays, self._faults = {}, {}
        for name, text in self.sheet.texts.items():
            try:
                arrays[name] = read_array(text)
            except GradientTextError as error:
                self._faults[name] = str(error)
        found = self._checker.check(arrays)
        self._show_found(found)
        if found.is_cut_short:
            self._search.start(self._index, arrays)

    def _show_found(self, found: GradientVerdicts) -> None:
        verdicts = {entry.name: entry for entry in found.entries}
        self.sheet.set_verdicts(verdicts, self._faults, found.summary if found.entries else "")

    def _show_search(self) -> None:
        """Say how far the search is that goes on beside the window."""
        at = self._search.progress
        done = f": slip {at.tried:,} of {at.slips:,} for {at.entry}, {at.gradients:,} gradients worked out" if at and at.slips else ""
        self.sheet.show_search(f"Looking for what gives these numbers{done} …" if at else "")

    def stop(self) -> None:
        """End what goes on beside the window."""
        self._search.stop()

    def _paste(self, text: str) -> None:
        """Put the arrays of a text into the cells that are named in it; one without a name into the cell that is chosen."""
        try:
            found = read(text)
            named = self._placed(found)
        except (GradientTextError, LookupError) as error:
            self.sheet.say_fault(error.args[0])
            return
        self.sheet.say_fault("")
        self.sheet.set_texts(named)

    def _placed(self, found: Mapping[str, np.ndarray]) -> dict[str, str]:
        """The texts of cells, by the names of their rows. Raises LookupError for a name that is none."""
        if self._checker is None:
            raise LookupError("There is no iteration to check them against. Step or train first.")
        if "" in found and not self.sheet.chosen:
            raise LookupError("The array has no name: choose its row above first, or write “h1.weight = ” in front of it.")
        named = {name or self.sheet.chosen: array for name, array in found.items()}
        rows = {one.node: one.name for one in self._checker.named}
        judged = self._checker.check(named)
        unknown = [entry.sentence for entry in judged.entries if entry.status == UNKNOWN_NAME]
        if unknown:
            raise LookupError(unknown[0])
        return {rows[entry.node]: json.dumps(named[entry.name].tolist()) for entry in judged.entries}

    def _show_node(self, node: int) -> None:
        self.node_requested.emit(shown_node(self.source.stepping.state, node))
