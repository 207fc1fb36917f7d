"""The real window without a screen: plays a job in it and writes pictures. What `nnviz screenshot` and `nnviz export` do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QEventLoop, QIODevice, QTimer
from PySide6.QtWidgets import QApplication

from nnviz.document.breakpoints import Breakpoint
from nnviz.document.store.examples import document_path, is_built_in, open_document
from nnviz.document.store.files import replace_file
from nnviz.lessons.lesson import LessonError
from nnviz.lessons.store import open_lesson
from nnviz.records.breakpoint_places import node_of
from nnviz.session.engine_process import EngineProcess
from nnviz.ui.files.exports import PICTURES, SUFFIXES, reason
from nnviz.ui.files.recorder import RecordedSession, Recorder, RecordingOrder
from nnviz.ui.shell import app
from nnviz.ui.shell.main_window import DESIGN_SIZE, MainWindow
from nnviz.ui.step.elements import row_shape
from nnviz.ui.theme.colors import THEMES
from nnviz.ui.theme.style import apply_theme

PATIENCE_MS = 120_000
"""How long one wait may take before the job is given up."""
STRETCHES = 12
"""Training is done in so many stretches, so that the pictures over time have as many lines on every machine."""


class JobFailed(Exception):
    """A sentence that says why the picture could not be made."""


@dataclass(frozen=True)
class Job:
    """Where the window shall stand when its picture is taken."""

    file: str
    workspace: str = "step"
    iteration: int = 0
    step: int | None = None
    """Steps made of the iteration; None: all of them."""
    size: tuple[int, int] = DESIGN_SIZE
    theme: str = "light"
    detail: str = "textbook"
    """How far the graph is opened: layer · textbook · math · neurons."""
    details: Sequence[tuple[str, str]] = ()
    """Groups that are opened to another detail, as (path, detail)."""
    node: str = ""
    """The node to look at, as its groups and label: h1/relu; a parameter as h1.weight. Empty: the cursor's."""
    element: tuple[int, ...] = ()
    """Which element of it is worked out."""
    unfold: tuple[str, ...] = ()
    """Keys of the groups that are open, all others being folded; none: as the graph opens."""
    panel: str = ""
    """The panel to paint alone; empty: the whole window."""
    lesson: str = ""
    """A lesson by its name, which opens the documents it needs; `lesson_step` counts from 1."""
    lesson_step: int = 1
    is_answered: bool = False
    """Whether the question of that step is answered, so that its reveal is seen."""


def screenshot(job: Job, out: Path) -> None:
    """Paint the window as the job says and write it as PNG. Raises JobFailed."""
    with standing_window(job) as window:
        _require_picture(window, job.panel or "window")
        shown = window.features.cards[job.panel] if job.panel else window
        data = QByteArray()
        buffer = QBuffer(data)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        shown.grab().save(buffer, "PNG")
        try:
            replace_file(out, data.data())
        except OSError as error:
            raise JobFailed(f"{out} could not be written: {reason(error)}") from error


def export(job: Job, out: Path, what: str = "graph", width: float | None = None) -> str:
    """Write graph, network, plots, window or a panel as the file's suffix says, so many centimetres wide. Raises JobFailed.

    Return what is to be said of it, often nothing.
    """
    possible = SUFFIXES.get(what, PICTURES)
    if out.suffix[1:].lower() not in possible:
        raise JobFailed(f"{out.name}: a {what} can be written as {', '.join(possible)}; choose one of these endings")
    with standing_window(job) as window:
        _require_picture(window, what)
        problem = next(iter(window.session.report.problems), None)
        if problem and what in ("graph", "plots"):  # nothing has been run that they could be made of
            raise JobFailed(f"{problem.place}: {problem.message} {problem.cure}")
        try:
            return window.features.files.exports.write(out, what, width)
        except (OSError, ValueError) as error:
            raise JobFailed(f"{out} could not be written: {reason(error)}") from error


def record(
    job: Job,
    out: Path,
    what: str,
    along: str,
    span: tuple[int, int, int] | None,
    per_second: float,
    progressed: Callable[[int, int], object] = lambda done, total: None,
) -> str:
    """Write a recording of the steps of the iteration that is open, or of iterations; return what is in it. Raises JobFailed.

    `what`: graph · network · plots · window, or a panel; `span`: first, last, every; None: all steps. Its size is that of the window.
    `progressed` is called with how many pictures are taken and how many there will be.
    """
    with standing_window(job) as window:
        steps = window.session.stepping.length
        first, last, every = span or (0, steps, 1)
        _require_picture(window, what)
        if along == "steps" and last > steps:
            raise JobFailed(f"the iteration has {steps} steps; --steps {first}:{last} goes beyond its end")
        recorder, ends, loop = Recorder(RecordedSession(window.session), window, window), [], QEventLoop()
        recorder.progressed.connect(progressed)
        recorder.ended.connect(lambda path, told: (ends.append((path, told)), loop.quit()))
        recorder.start(RecordingOrder(out.absolute(), what, along, first, last, every, job.size, per_second))
        if not ends:
            loop.exec()
        path, told = ends[0]
        if not path:
            raise JobFailed(f"{out} could not be written: {told}")
        return told


def _require_picture(window: MainWindow, what: str) -> None:
    if what not in (*SUFFIXES, *window.features.cards):
        raise JobFailed(f"there is no panel {what}; there is {', '.join(window.features.cards)}")


@contextmanager
def standing_window(job: Job) -> Iterator[MainWindow]:
    """Yield the window where the job wants it, and leave nothing behind."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"  # whatever is set: there may be no display
    app.application()
    experiment, engine = open_document(job.file), EngineProcess()
    engine.start()  # it loads torch while the window is made
    window = app.build_window(experiment, autosaves=False, engine=engine)
    if not is_built_in(job.file):
        window.session.document.new(window.session.experiment, path=document_path(job.file).absolute())  # its data may lie beside it
    window.stop_asking()
    failures: list[str] = []
    window.session.message_posted.connect(lambda level, text: failures.append(text) if level == "error" else None)
    try:
        _prepare(window, job)
        _play(window, job, failures)
        yield window
    finally:
        app.shut_down(window)


def _prepare(window: MainWindow, job: Job) -> None:
    window.features.graph.view.set_animated(False)
    apply_theme(QApplication.instance(), THEMES[job.theme])
    window.resize(*job.size)
    window.features.area.show_workspace(job.workspace)
    if job.panel in window.features.area.panels() and not window.is_visible(job.panel):
        window.features.area.set_panel_visible(job.panel, True)
    window.session.breakpoints.switch_off()
    window.session.stepping.set_detail(job.detail)
    for path, detail in job.details:
        window.session.stepping.set_detail_of(path, detail)
    window.session.stepping.set_rest("end" if job.step is None else "start")
    window.show()


def _play(window: MainWindow, job: Job, failures: list[str]) -> None:
    session = window.session
    if not session.report.ok:
        return
    session.start()
    wait_for(lambda: session.stepping.state is not None, "the engine to start", failures)
    for target in sorted({job.iteration * stretch // STRETCHES for stretch in range(1, STRETCHES + 1)} - {0}):
        session.training.iterations(target - session.run.iteration)
        wait_for(lambda: not session.training.is_training and _is_current(window), f"iteration {target}", failures)
        if session.run.stopped in ("early_stopping", "non_finite"):
            break
    if job.step is not None:
        if job.step > session.stepping.length:
            raise JobFailed(f"the iteration has {session.stepping.length} steps; --step {job.step} is beyond its end")
        session.stepping.to(job.step)
    if job.lesson:
        _learn(window, job, failures)
    _look(window, job)
    wait_for(lambda: not session.numbers.is_waiting, "the numbers around the node", failures)
    wait_for(lambda: not window.features.graph.view.trace_scene.placer.is_busy, "the graph to be laid out", failures)
    _wait_for_panels(window)
    if job.panel == "graph":  # a picture of it alone shows all of it
        window.features.graph.view.fit()


def _learn(window: MainWindow, job: Job, failures: list[str]) -> None:
    """Stand at a step of a lesson."""
    try:
        lesson = open_lesson(job.lesson)
    except LessonError as error:
        raise JobFailed(str(error)) from error
    if not 1 <= job.lesson_step <= len(lesson.steps):
        raise JobFailed(f"lesson {job.lesson} has {len(lesson.steps)} steps; there is no step {job.lesson_step}")
    lessons = window.session.lessons
    window.features.area.show_workspace("learn")
    lessons.open(job.lesson, lesson, job.lesson_step - 1)
    wait_for(lambda: not lessons.is_setting_up, f"step {job.lesson_step} of the lesson", failures)
    if job.is_answered:
        lessons.give_up()
        wait_for(lambda: not lessons.is_setting_up, "the answer", failures)


def _look(window: MainWindow, job: Job) -> None:
    """Fold, choose a node and one of its elements as the job says."""
    session, folds = window.session, window.features.graph.view.folds
    if job.unfold:
        folds.fold_all()
        for key in job.unfold:
            folds.open_one(key)
    if job.node:
        kind = "node" if "/" in job.node else "parameter"
        node = node_of(session.stepping.state.index, Breakpoint(kind, job.node))
        if node is None:
            raise JobFailed(f"this iteration has no node {job.node}: say groups and label, as h1/relu, or a parameter, as h1.weight")
        window.features.step.show_node(node)
        if job.element:
            sizes = row_shape(session.stepping.state.index.node(node))
            if len(job.element) != len(sizes) or any(place >= size for place, size in zip(job.element, sizes, strict=True)):
                raise JobFailed(f"node {job.node} has no element {list(job.element)}: its rows have shape {list(sizes)}")
            window.features.step.chain_rule.choose_element(int(np.ravel_multi_index(job.element, sizes)))


def _is_current(window: MainWindow) -> bool:
    state = window.session.stepping.state
    return state is not None and state.index.trace.iteration == window.session.run.iteration


def _wait_for_panels(window: MainWindow) -> None:
    """Let everything that is waiting be painted, and fit the network to its panel; the graph opens readable and follows the cursor."""
    for _ in range(3):
        QApplication.processEvents()
    window.features.network.view.fit()
    QApplication.processEvents()


def wait_for(done: Callable[[], bool], what: str, failures: list[str]) -> None:
    loop, clock, patience = QEventLoop(), QTimer(), QTimer(singleShot=True)
    clock.timeout.connect(lambda: loop.quit() if done() or failures else None)
    patience.timeout.connect(loop.quit)
    clock.start(5)
    patience.start(PATIENCE_MS)
    loop.exec()
    if failures:
        raise JobFailed(failures[0])
    if not done():
        raise JobFailed(f"waited {PATIENCE_MS // 1000} s for {what} in vain")
