"""The panel of what was asked of the past: its plot, and below it how far a question is, what it would cost, and what was found."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from nnviz.session.past_questions import PastQuestions
from nnviz.text.question_text import duration_text, first_time_text, question_label
from nnviz.ui.run._past_plot import PastPlot, ShownPast
from nnviz.ui.theme.colors import GRID
from nnviz.ui.widgets.header_button import ChoiceButton

_ALL = "all"
_OTHER = "This is of another branch of the run."


class PastPanel(QWidget):
    """Shows what `session.past` knows. What a person wants is said by signals, or asked of it."""

    ask_requested = Signal()
    iteration_requested = Signal(int)

    def __init__(self, past: PastQuestions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._past = past
        self._titles: Mapping[str, str] = {}
        self._score = ""
        self.plot = PastPlot()
        self.curves = ChoiceButton("Which curves are kept")
        self.curves.chosen.connect(self._remove)
        self.text, self.bar = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText), QProgressBar(textVisible=False)
        self.bar.setFixedHeight(GRID)
        self.ask, self.cancel, self.go = QPushButton("Ask…"), QPushButton("Cancel"), QPushButton("Go there")
        self.every, self.some, self.close_answer = QPushButton("every iteration"), QPushButton(), QPushButton("Close")
        self.ask.setToolTip("Ask for any number of all past iterations, or when something first became true")
        self._lay_out()
        self.ask.clicked.connect(self.ask_requested)
        self.cancel.clicked.connect(past.cancel)
        self.close_answer.clicked.connect(past.dismiss)
        self.every.clicked.connect(lambda: past.compute(past.offer.strides[0]))
        self.some.clicked.connect(lambda: past.compute(past.offer.strides[-1]))
        self.go.clicked.connect(lambda: self.iteration_requested.emit(past.first.found.iteration))
        self.plot.past_chosen.connect(self.iteration_requested)
        self.plot.tools = (self.curves, *self.plot.tools)
        past.changed.connect(self.show_past)
        self.show_past()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(2 * GRID)
        row.addWidget(self.ask)
        row.addWidget(self.text, 1)
        for button in (self.every, self.some, self.go, self.close_answer, self.cancel):
            row.addWidget(button)
        self.close_answer.setProperty("role", "word")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.plot, 1)
        column.addWidget(self.bar)
        column.addLayout(row)

    def set_names(self, titles: Mapping[str, str], score: str) -> None:
        """Call layers by these names, and the metric by that."""
        if (titles, score) != (self._titles, self._score):
            self._titles, self._score = dict(titles), score
            self.show_past()

    def show_past(self) -> None:
        """Show what is known now."""
        past = self._past
        shown = tuple(
            ShownPast(one, question_label(one.question, self._titles, self._score), past.is_of_this_run(one.log, one.last))
            for one in past.curves
        )
        self.plot.show_past(shown)
        count = len(shown)
        removals = [(str(place), f"Remove {one.label}") for place, one in enumerate(shown)]
        last = [(_ALL, "Remove all")] if count > 1 else []
        self.curves.set_choices([("", f"{count} curve{'s' * (count != 1)}"), *removals, *last], "")
        self.curves.setVisible(count > 0)
        self._show_work()

    def _show_work(self) -> None:
        past, progress = self._past, self._past.progress
        is_waiting = progress is None and past.offer is not None
        self.bar.setVisible(progress is not None)
        if progress:
            self.bar.setRange(0, max(1, progress.total))
            self.bar.setValue(progress.done)
        self.text.setText(self._said())
        self.every.setVisible(is_waiting)
        self.some.setVisible(is_waiting and len(past.offer.strides) > 1)
        if is_waiting:
            self.some.setText(f"every {past.offer.strides[-1]:,}th, {duration_text(past.offer.seconds[-1])}")
        self.cancel.setVisible(progress is not None or is_waiting)
        is_answered = progress is None and not is_waiting
        first = past.first if is_answered else None
        self.go.setVisible(bool(first and first.found.iteration is not None and past.is_of_this_run(first.log, first.last)))
        self.close_answer.setVisible(is_answered and bool(first or past.failure))

    def _said(self) -> str:
        past, progress = self._past, self._past.progress
        if progress:
            left = "" if past.seconds_left is None else f", {duration_text(past.seconds_left)} left"
            return f"{progress.done:,} of {progress.total:,} {progress.what}{left}" if progress.what != "beginning" else "Beginning…"
        if past.offer:
            return f"Every iteration takes {duration_text(past.offer.seconds[0])}."
        if past.failure:
            return past.failure
        if past.first:
            first = past.first
            told = first_time_text(first.found, first.predicate, first.last, self._titles, self._score)
            return told if past.is_of_this_run(first.log, first.last) else f"{told} {_OTHER}"
        return ""

    def _remove(self, key: str) -> None:
        for place in reversed(range(len(self._past.curves))):
            if key in (_ALL, str(place)):
                self._past.remove(place)
        self.show_past()
