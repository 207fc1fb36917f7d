"""Plays a lesson in a window without a screen, to print it: texts with their numbers, pictures of what stands beside them, answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QElapsedTimer, QMarginsF, QRectF, QSizeF
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

from nnviz.document.store.examples import FIRST_EXAMPLE
from nnviz.export import lesson_sheet, pictures
from nnviz.export.lesson_sheet import LessonSheet, SheetFigure, SheetStep
from nnviz.lessons.answer_key import answer_key
from nnviz.lessons.checks import filled
from nnviz.lessons.lesson import Lesson
from nnviz.session.lesson_state import cursor_of
from nnviz.ui.files.exports import reason
from nnviz.ui.shell.main_window import MainWindow
from nnviz.ui.shell.offscreen import Job, JobFailed, standing_window, wait_for
from nnviz.ui.theme.colors import LIGHT
from nnviz.ui.widgets.plot_picture import PlotStill
from nnviz.version import __version__

_TALL, _LOW = (1500, 1300), (1500, 760)
"""Sizes of the window in pixels: so high that a card is seen to its end, or so low that the letters of plots stay large."""
_HIGHEST = 720
"""Pixels of a card: the letters of a higher one would be too small beside an answer."""
_QUIET_MS = 120
"""Panels that show what goes on are up to date so much later."""
_READABLE = 1250
"""Pixels up to which a graph can be read where it is as wide as a page; of a wider one the part around the cursor is shown, too."""
_LEFT_OUT = {"lesson", "inspector", "training", "properties", "parameters", "layers"}
"""The card stands beside the answer; forms are not printed."""
_AROUND = QMarginsF(12, 8, 4, 8)
"""Pixels around a card."""

Tell = Callable[[int, int], object]
"""Is told how many steps have been played, and of how many."""


def print_lesson(lesson: Lesson, out: Path, has_answers: bool = True, tell: Tell = lambda done, count: None) -> int:
    """Write a lesson as PDF and return how many pages it has. Raises JobFailed."""
    if out.suffix.lower() != ".pdf":
        raise JobFailed(f"{out.name}: a lesson is written as PDF; let the name end in .pdf")
    with standing_window(Job(lesson.steps[0].document or FIRST_EXAMPLE, workspace="learn", size=_TALL)) as window:
        sheet = _LessonPlay(window, lesson, tell).sheet()
    try:
        return lesson_sheet.write(sheet, out, has_answers)
    except OSError as error:
        raise JobFailed(f"{out} could not be written: {reason(error)}") from error


class _LessonPlay:
    """Stands at one step after the other, gives each question up, and notes what is to be printed."""

    def __init__(self, window: MainWindow, lesson: Lesson, tell: Tell) -> None:
        self._window, self._lesson, self._tell = window, lesson, tell
        self._run, self._features = window.session.lessons, window.features
        self._failures: list[str] = []
        self._printed: set[bytes] = set()
        """The pictures that stand in the sheet already."""
        self._whole: dict[str, QSizeF] = {}
        """By panel how large the graph was that stands there as a whole last, where it is too wide to be read so."""
        window.session.message_posted.connect(lambda level, text: self._failures.append(text) if level == "error" else None)
        window.features.step.chain_rule.set_printed()
        window.features.doctor.section.setMaximumHeight(0)

    def sheet(self) -> LessonSheet:
        """Play the lesson to its end and return its sheet."""
        lesson, steps = self._lesson, []
        for place in range(len(lesson.steps)):
            self._run.go_to(place) if place else self._run.open("printed", lesson)
            self._settle(f"step {place + 1}")
            steps.append(self._step(place))
            self._tell(place + 1, len(lesson.steps))
        return LessonSheet(lesson.title, lesson.summary, lesson.minutes, tuple(steps), f"nnviz {__version__}")

    def _step(self, place: int) -> SheetStep:
        step, facts = self._lesson.steps[place], self._run.facts
        ask, text, figures = step.ask, filled(step.text, facts), self._figures(place)
        if ask is None:
            return SheetStep(text, figures, reveal=filled(step.reveal, facts))
        question, key = filled(ask.text, facts), answer_key(ask, facts)
        options = tuple(filled(option.text, facts) for option in ask.options)
        hints = tuple(filled(hint, facts) for hint in ask.hints)
        self._run.give_up()
        self._settle(f"the answer of step {place + 1}")
        reveal = filled(step.reveal, self._run.facts)
        return SheetStep(text, figures, ask.kind, question, options, hints, key.right, key.wrong, reveal, self._card())

    def _settle(self, what: str) -> None:
        """Wait until the step stands and all is painted."""
        session, scene = self._window.session, self._features.graph.view.trace_scene
        wait_for(lambda: not self._run.is_setting_up or bool(self._run.obstacle), what, self._failures)
        if self._run.obstacle:
            raise JobFailed(f"{what}: {self._run.obstacle}")
        QApplication.processEvents()
        is_tall = self._window.is_visible("inspector") or self._window.is_visible("doctor")
        self._window.resize(*(_TALL if is_tall else _LOW))
        QApplication.processEvents()
        self._compute(what)
        wait_for(lambda: not session.numbers.is_waiting and not scene.placer.is_busy and session.work.current is None, what, self._failures)
        clock = QElapsedTimer()
        clock.start()
        wait_for(lambda: clock.elapsed() > _QUIET_MS, what, self._failures)

    def _compute(self, what: str) -> None:
        """Have found what a person would press a button for, in the panels that can be seen."""
        tasks = self._window.session.tasks
        for name, panel in self._features.landscape.panels.items():
            kind = type(panel.task())
            if self._window.is_visible(name) and not tasks.is_present(kind) and not tasks.obstacle:
                self._features.landscape.compute(panel)
                wait_for(lambda kind=kind: tasks.is_present(kind) or bool(tasks.state(kind).failure), what, self._failures)

    # --- pictures ---

    def _figures(self, place: int) -> tuple[SheetFigure, ...]:
        """What stands beside a step and has not been printed before; the network where the graph is not, or a document is new."""
        step = self._lesson.steps[place]
        shown = [name for name in self._window.features.area.visible_panels() if name not in _LEFT_OUT]
        if "graph" in shown and step.document is None and not (step.ask and step.ask.kind == "click"):
            shown = [name for name in shown if name != "network"]
        figures = (one for name in shown if not self._has_nothing(name) for one in self._of_panel(name))
        return tuple(one for one in figures if self._is_new(one))

    def _has_nothing(self, panel: str) -> bool:
        """Whether what a panel shows could not be found here, as a plane along the path of a run that has not begun."""
        computed = self._features.landscape.panels.get(panel)
        return computed is not None and not self._window.session.tasks.is_present(type(computed.task()))

    def _is_new(self, figure: SheetFigure) -> bool:
        data = figure.picture.data()
        is_new = bytes(data) not in self._printed
        self._printed.add(bytes(data))
        return is_new

    def _of_panel(self, panel: str) -> Iterator[SheetFigure]:
        """What stands in a panel; of graph and network that are too wide to be read on a page the whole, once, and a part each time."""
        if panel not in ("graph", "network"):
            yield self._figure(panel)
            return
        view = self._features.graph.view if panel == "graph" else self._features.network.view
        size = QSizeF(pictures.size_of(view.scene()))
        is_wide = size.width() > _READABLE
        if not size.isEmpty() and not (is_wide and self._whole.get(panel) == size):
            yield SheetFigure(pictures.recorded(view.scene(), LIGHT), size, is_wide)
        if is_wide:
            self._whole[panel] = size
            part = view.seen().intersected(view.scene().itemsBoundingRect())
            yield SheetFigure(pictures.recorded(view.scene(), LIGHT, part), part.size())

    def _figure(self, panel: str) -> SheetFigure:
        features = self._features
        if panel in features.plots:
            still = PlotStill(features.plots[panel], LIGHT)
            figure = _recorded(still)
            still.deleteLater()
            return figure
        return _recorded(_whole(features.cards[panel].body), _AROUND)

    def _card(self) -> SheetFigure | None:
        """The chain-rule card with what the answer is about, where it can be seen and the step is about a node."""
        card = self._features.step.chain_rule
        size = card.printed_size()
        if not card.isVisible() or size.isEmpty() or size.height() > _HIGHEST or not cursor_of(self._run.state)[0]:
            return None
        part = QRectF(0, 0, size.width(), min(size.height(), card.height())).marginsAdded(_AROUND)
        return SheetFigure(pictures.recorded(card, LIGHT, part), part.size())


def _whole(body: QWidget) -> QWidget:
    """What is scrolled in the body of a card, else the body."""
    return body.widget() if isinstance(body, QScrollArea) and body.widget() else body


def _recorded(widget: QWidget, around: QMarginsF | None = None) -> SheetFigure:
    part = QRectF(widget.rect()).marginsAdded(around or QMarginsF())
    return SheetFigure(pictures.recorded(widget, LIGHT, part), part.size())
