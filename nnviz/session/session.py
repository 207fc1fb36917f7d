"""What is open now: the parts of a session, and what each event means for all of them, in the order written here.

Long because every event has its method here: elsewhere the order could not be read.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.document import edits
from nnviz.document.experiment import Experiment
from nnviz.document.problems import told
from nnviz.document.run_log import same_run, with_looks_of
from nnviz.document.shapes.report import Report
from nnviz.records.breakpoint_places import BreakpointPlace, nodes_with_breakpoint
from nnviz.records.picture_records import PictureWish
from nnviz.records.tensors import WHOLE
from nnviz.session._call_lists import CallLists
from nnviz.session._doctor_control import DoctorControl
from nnviz.session._document_file import Autosaver, FileWatch
from nnviz.session._kept_run import KeptRun
from nnviz.session._lesson_run import LessonRun
from nnviz.session._watch import WatchedPanels
from nnviz.session._weights import Weights
from nnviz.session.branches import Branches
from nnviz.session.breakpoint_control import BreakpointControl
from nnviz.session.comparison import Comparison
from nnviz.session.document import Document, Edited
from nnviz.session.engine_link import EngineLink, Wire
from nnviz.session.engine_process import EngineProcess
from nnviz.session.engine_work import EngineWork
from nnviz.session.lesson_draft import LessonDraft
from nnviz.session.long_tasks import LongTasks
from nnviz.session.past_questions import PastQuestions
from nnviz.session.queries import BatchRows, DataPreviews, NodeNumbers, Query
from nnviz.session.run import RunState
from nnviz.session.stepping import Aim, Stepping
from nnviz.session.sweep_control import SweepControl
from nnviz.session.trace_source import toggle_breakpoint
from nnviz.session.training_control import TrainingControl
from nnviz.session.trials import Trials
from nnviz.session.undo_order import UndoOrder
from nnviz.session.what_ifs import Items, WhatIfs

OUTDATED = "until it is traced again"
"""What is said of a trace that was made before a change."""


class Session(QObject):
    """`document`, `training`, `stepping` take what a person does; views listen to the signals, read the properties."""

    details = ("layer", "textbook", "math", "neurons")
    """How far the calls of a trace can be opened."""

    experiment_changed = Signal(object, object)
    run_changed = Signal(object, object)
    document_replaced = Signal()
    """Another document is open."""
    document_changed = Signal()
    """Title, path, saved mark, undo and redo."""
    breakpoints_changed = Signal()
    """Of the document."""
    message_posted = Signal(str, str)
    """info | warning | error, and a sentence."""
    numbers_arrived = Signal(int)
    """The node whose numbers have been added to the trace."""
    gradient_checked = Signal(object)
    """messages.GradientChecked"""
    responded = Signal(object)
    """messages.UnitMapped"""

    def __init__(
        self, wire: Wire, experiment: Experiment, path: Path | None = None, autosaves: bool = True, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._train_first = 0
        """Iterations to train as soon as the run is open."""
        self._stop: Aim | None = None
        """What finds the node, in the trace of its iteration, that training has stopped at."""
        self.document = Document(experiment, path, self._attachments, self)
        self.link = EngineLink(wire, experiment, self.report.ok, self.document.folder, self)
        self.breakpoints = BreakpointControl(self.link, experiment)
        per_epoch = lambda: self.run.iterations_per_epoch  # noqa: E731
        self.stepping = Stepping(self._advance, self._retreat, per_epoch, self.breakpoints.between, self)
        self.training = TrainingControl(self.link, self.breakpoints, self.stepping, self._problem, self)
        self.branches = Branches(self.document, self.link, self.training, self)
        self.tasks = LongTasks(self.link, self)
        self.comparison = Comparison(self.tasks, self.link, self.branches, self.training, self.stepping, self)
        self.doctor = DoctorControl(self.document, self.link, self.training, self.stepping, self)
        self.trials = Trials(self.comparison, self.branches, self.link, self.tasks, self)
        self.sweep = SweepControl(self.document, self)
        self.kept_run = KeptRun(self.document, self.link, self.training, self.branches, self.sweep, self)
        self.autosaver = Autosaver(self.document, self._attachments, autosaves, self, lambda: self.kept_run.is_kept and self.sweep.is_kept)
        self.file_watch = FileWatch(self.document, autosaves, self)
        self.what_ifs = WhatIfs(lambda: self.run.trace_index, self._what_if_obstacle, self._trace_what_ifs, self)
        self.undo_order = UndoOrder(self.document, self.what_ifs, self)
        self.weights = Weights(self.link, self.document, self.training, self)
        self.previews, self.batch, self.numbers = DataPreviews(self.link, self), BatchRows(self.link, self), NodeNumbers(self.link, self)
        self.calls, self.past = CallLists(self.link, self), PastQuestions(self.link, self.tasks, self)
        self._gradient_checks = Query(self.link, messages.CheckGradient, messages.GradientChecked, parent=self)
        self._unit_maps = Query(self.link, messages.MapUnit, messages.UnitMapped, parent=self)
        self.watched = WatchedPanels(self.link, self)
        self.work = EngineWork(self.link, self)
        told = (lambda: self.doctor.present, lambda: self.is_saved)
        driven = (self.document, self.link, self.training, self.stepping, self.branches, self.comparison, self.tasks)
        self.lessons = LessonRun(*driven, *told, self)
        self.draft = LessonDraft(self.document, self.link, self.stepping, self.branches, self.lessons, autosaves, self)
        self.watch(())
        self._listen()

    def _listen(self) -> None:
        self.document.edited.connect(self._on_edited)
        self.document.amended.connect(self._on_amended)
        self.document.replaced.connect(self._on_replaced)
        self.document.written.connect(self.kept_run.written)
        self.document.file_taken.connect(self.file_watch.follow)
        self.document.changed.connect(self._on_document_changed)
        for kept in (self.kept_run, self.sweep):
            kept.kept_changed.connect(self.autosaver.tidy)
            kept.kept_changed.connect(self.document_changed)
        self.sweep.changed.connect(self.autosaver.wait)
        self.link.run_changed.connect(self._on_run_changed)
        self.link.leaving.connect(self._on_leaving)
        self.branches.changed.connect(self._on_branches_changed)
        self.link.arriving.connect(self.watched.begin)
        self.link.replied.connect(self._on_reply)
        self.stepping.trace_state_changed.connect(self._on_trace_state_changed)
        self.stepping.detail_changed.connect(self._on_detail_changed)
        self.stepping.breakpoint_reached.connect(self._on_breakpoint_reached)
        self.stepping.arrived.connect(self._on_arrived)
        self.numbers.arrived.connect(self.numbers_arrived)
        self._gradient_checks.answered.connect(self.gradient_checked)
        self._unit_maps.answered.connect(self._on_unit_mapped)
        self.work.cancelled.connect(self._on_cancelled)
        kept = (self.branches, self.comparison, self.trials, self.sweep, self.kept_run, self.autosaver)
        for part in (self.document, self.link, self.training, *kept, self.what_ifs, self.weights, self.draft):
            part.message_posted.connect(self.message_posted)

    # --- what there is ---

    @property
    def experiment(self) -> Experiment:
        """The document as it is now."""
        return self.document.experiment

    @property
    def report(self) -> Report:
        """Shapes, parameters and problems of the document as it is now."""
        return self.document.report

    def _problem(self) -> str:
        """The first thing that is wrong with the document, as a sentence; empty if nothing is."""
        first = next(iter(self.report.problems), None)
        return told(first, self.experiment.network.titles) if first else ""

    @property
    def run(self) -> RunState:
        """Everything that happened since the seed."""
        return self.link.run

    @property
    def trace_age(self) -> str:
        """What is to be said of the trace besides its iteration: whether this comes next, or did before a change that takes long."""
        run = self.run
        is_outdated = run.traced not in (-1, run.revision) and not run.training
        if run.is_traced or (is_outdated and self.work.current is None):
            return "next"
        return OUTDATED if is_outdated else ""

    @property
    def is_saved(self) -> bool:
        """Whether nothing would be lost: neither changes of the document nor training or swept runs that its file does not hold."""
        return self.document.is_saved and self.kept_run.is_kept and self.sweep.is_kept

    @property
    def breakpoint_marks(self) -> dict[int, bool]:
        """The nodes of the trace that have a breakpoint of their own, and whether it is on."""
        return nodes_with_breakpoint(self.stepping.index, self.experiment.breakpoints) if self.stepping.index else {}

    @property
    def breakable(self) -> tuple[list[str], list[str]]:
        """Layers and parameters that a breakpoint can be on, by id and name."""
        return list(self.report.layers), list(self.report.parameters_by_name)

    # --- what can be done ---

    def edit(self, label: str, function: Callable[..., Experiment], *args: Any, merge: str = "", **settings: Any) -> bool:
        """Apply a pure edit to the document; return whether it was possible. If not, a message says why."""
        return self.document.edit(label, function, *args, merge=merge, **settings)

    def post(self, level: str, text: str) -> None:
        """Let a person be told something: info · warning · error, and a sentence."""
        self.message_posted.emit(level, text)

    def toggle_breakpoint(self, node: int) -> None:
        """Put a breakpoint on this node of the trace, or take it away; one that no step comes to gets none, and a message says so."""
        toggle_breakpoint(self, node)

    def show_stop(self) -> None:
        """Stand at the node that training has stopped at, if the trace is that of its iteration."""
        if self._stop and self.stepping.index and (place := self._stop(self.stepping.index)):
            self.stepping.to(place.cursor)
            self.stepping.select(place.node)

    def keep_what_ifs(self) -> bool:
        """Let the supposed weights be the document's, as one change that can be undone; return whether that was possible."""
        weights = self.what_ifs.weights()
        large = [name for name, values in weights.items() if values is None]
        if large:
            self.message_posted.emit("warning", f"{large[0]} has more than {WHOLE:,} numbers and cannot be kept in the document.")
        elif weights and self.edit("Keep what-if", edits.set_parameters, weights):
            self.what_ifs.forget_weights()
            return True
        return False

    def _what_if_obstacle(self, items: Items) -> str:
        return "" if self.run.is_traced else "Wait until the iteration is traced."

    def _trace_what_ifs(self) -> None:
        basis = self.what_ifs.basis.trace
        self.link.ask(messages.TraceNext(basis.detail, self.what_ifs.items, basis.details))

    def _take_what_ifs(self, reply: messages.Reply) -> None:
        match reply:
            case messages.Traced() if reply.revision == self.run.revision:
                self.what_ifs.take(reply.trace.what_ifs)
            case messages.Failed(request="TraceNext"):
                self.what_ifs.refuse()

    def watch(self, panels: tuple[str, ...]) -> None:
        """Have measured what these need, and nothing else: curves · measures · surface · trace."""
        self.watched.watch(panels, self.stepping.detail, self.stepping.details)

    def watch_pictures(self, wishes: tuple[PictureWish, ...]) -> None:
        """Have these pictures of the inside of the net made, and no others."""
        self.watched.watch_pictures(wishes)

    def want_numbers(self, node: int) -> None:
        """Ask for what was too large to travel around a node of the trace, once; `numbers_arrived` brings it."""
        self.numbers.want(self.stepping.state, node)

    def check_gradient(self, node: int, element: tuple[int, ...]) -> None:
        """Ask for a finite difference; `gradient_checked` brings it."""
        self._gradient_checks.want(messages.CheckGradient(node, tuple(element)))

    def respond(self, layer: str, unit: int) -> None:
        """Ask for the map of one unit over the plane of the features; `responded` brings it. Without a plane nothing is asked."""
        if self.run.surface is not None and self.link.is_up_to_date:
            self._unit_maps.want(messages.MapUnit(layer, unit))

    # --- its life ---

    def connect_engine(self, engine: EngineProcess) -> None:
        """Listen to the engine."""
        engine.replied.connect(self.link.receive)
        engine.stopped.connect(self.link.lost)
        engine.failed.connect(self.link.failed)
        engine.logged.connect(self.link.log_line)

    def start(self, train_first: int = 0) -> None:
        """Bring up the engine, open the run, and train its first iterations; after a failure the run will stand where it stood."""
        self._train_first = train_first
        self.link.start()

    def restart_engine(self) -> None:
        """End the engine and start another one, which makes the run again, exactly, and traces it."""
        self.watched.release()
        self.link.restart()

    def close(self, discards: bool = False) -> None:
        """Keep a copy of unsaved work, or discard it, and end the engine. Calling it twice does no harm."""
        self.stepping.stop()
        if discards:
            self.autosaver.discard()
        else:
            self.autosaver.write()
        self.file_watch.release()
        self.draft.stop()
        self.sweep.close()
        self.work.stop()
        self.link.close()

    # --- what the cursor asks for ---

    def _advance(self, count: int) -> bool:
        """Make the next trace come, by making so many iterations if the present trace is that of the first; return whether it will."""
        if not self.training.can_train:
            self.training.refuse()
            return False
        if self.run.training:
            self.training.pause()
        elif self.run.is_traced:
            self.training.iterations(count, past=self.breakpoints.is_active)  # the person has walked through it
        else:
            self.watched.trace(again=True)
        return True

    def _retreat(self, iteration: int) -> bool:
        """Make the trace of an iteration come that lies back; return whether it will."""
        self.training.go_to(iteration)
        return self.training.can_train

    # --- the document ---

    def _on_edited(self, edit: Edited) -> None:
        self.kept_run.follow_edit(edit)
        self.autosaver.wait()
        self.weights.follow_document()
        self.breakpoints.set_experiment(edit.new)
        self._forget_details_of(_changed_kinds(edit.old, edit.new))
        self.experiment_changed.emit(edit.old, edit.new)
        if edit.old.breakpoints != edit.new.breakpoints:
            self.breakpoints_changed.emit()
        if not edit.report.ok:
            self.training.pause()
            self.stepping.give_up()
        if edit.report.ok and not self.lessons.is_setting_up:
            self.branches.follow_edit(edit.new)
        if self.link.follow(edit.new, edit.report.ok):
            self.stepping.give_up()

    def _on_amended(self, edit: Edited) -> None:
        """The run has come to where other settings hold: the engine has them in force already."""
        self.autosaver.wait()
        self.weights.follow_document()
        self._forget_details_of(_changed_kinds(edit.old, edit.new))
        self.link.adopt(edit.new)
        self.experiment_changed.emit(edit.old, edit.new)

    def _follow_settings(self) -> None:
        """Let the document say what holds where the run stands."""
        if not self.link.is_up_to_date or self.run.target is not None:
            return
        in_force = self.link.in_force
        if not same_run(in_force, self.experiment):
            self.document.amend(with_looks_of(in_force, self.experiment))

    def _on_replaced(self, edit: Edited) -> None:
        self._train_first = 0
        self.comparison.document_replaced()
        self.doctor.document_replaced()
        self.trials.document_replaced()
        self.lessons.document_replaced()
        self.branches.document_replaced()
        self.kept_run.follow_document()
        self.autosaver.wait()
        self.weights.follow_document()
        self.stepping.give_up()
        self.training.drop_changes()
        self.training.pause()
        self.breakpoints.set_experiment(edit.new)
        self._forget_details_of({path.split("/")[0] for path, _ in self.stepping.details})
        self.experiment_changed.emit(edit.old, edit.new)
        self.breakpoints_changed.emit()
        self.tasks.forget()
        self.past.forget()
        self.link.begin(edit.new, edit.report.ok, self.document.folder)
        self.document_replaced.emit()

    def _on_document_changed(self) -> None:
        self.kept_run.follow()
        self.autosaver.tidy()
        self.undo_order.follow()
        self.link.set_folder(self.document.folder)
        self.document_changed.emit()

    def _forget_details_of(self, layers: set[str]) -> None:
        for path, _ in self.stepping.details:
            if path.split("/")[0] in layers:
                self.stepping.set_detail_of(path, "")

    def _attachments(self) -> dict[str, bytes]:
        return self.kept_run.attachments()

    # --- the run ---

    def _on_branches_changed(self) -> None:
        self.kept_run.follow()
        self.autosaver.wait()

    def _on_run_changed(self, old: RunState, new: RunState) -> None:
        self.kept_run.follow()
        if old.iteration != new.iteration:
            self.autosaver.wait()
            self.branches.follow_training()
            self._follow_settings()
        self.what_ifs.follow(old, new)
        self.weights.follow(old, new)
        self.doctor.follow(new)
        self.run_changed.emit(old, new)
        self.stepping.show(new.trace_index, new.training, new.is_traced)
        if new.engine != "ready" or new.failure:
            self.stepping.give_up()
        elif new.training and not self.stepping.is_awaiting:
            self.stepping.stop()
        self.lessons.note()

    def _on_reply(self, reply: messages.Reply) -> None:
        self.training.take(reply)
        self.kept_run.take(reply)
        self.breakpoints.take(reply)
        self._take_what_ifs(reply)
        self.weights.take(reply)
        self.training.make_changes(reply)
        for query in (self.previews, self.batch, self.numbers, self.calls, self.tasks, self._gradient_checks, self._unit_maps):
            query.take(reply)
        match reply:
            case messages.Opened():
                self._on_opened(reply)
            case messages.Failed() if reply.revision in (None, self.run.revision) and reply.request != "start":
                self._on_failed(reply)
            case messages.Trained():
                self._on_trained(reply)
        self.watched.take(reply)  # it asks for a trace if none of the others has had anything else done
        self.lessons.take(reply)

    def _on_leaving(self) -> None:
        if not self.lessons.is_setting_up:  # what a step has set up before is no run of the person
            self.branches.run_left()

    def _on_opened(self, reply: messages.Opened) -> None:
        self.branches.follow_log()
        if reply.nothing_left:
            self.stepping.give_up()
        if self._train_first:
            iterations, self._train_first = self._train_first, 0
            self.training.iterations(iterations)
        elif reply.reasons and not self.lessons.is_setting_up:
            self.message_posted.emit("info", " ".join(reply.reasons))

    def _on_failed(self, reply: messages.Failed) -> None:
        self.stepping.give_up()
        self.message_posted.emit("error", " ".join(filter(None, (reply.message, reply.cure))))
        if reply.place == "detail":  # the iteration is too large for the detail that was asked for: it stays as it was
            shown = self.stepping.index.trace.detail if self.stepping.index else self.stepping.detail
            self.stepping.set_detail("textbook" if shown == self.stepping.detail else shown)

    def _on_trained(self, reply: messages.Trained) -> None:
        """Training has stopped: if by a breakpoint or at what is not finite, stand at the guilty node as soon as its trace is there."""
        if self.run.is_traced:  # the iteration could not be made: no other trace will come
            self.stepping.give_up()
        is_stop = reply.reason in ("breakpoint", "non_finite")
        if reply.message:
            self.message_posted.emit("warning" if is_stop else "info", reply.message)
        if not is_stop:
            return
        self.stepping.stop()
        find = self._stop = self.breakpoints.stop_of(reply)
        if not (self.run.is_traced and self.stepping.index):
            self.stepping.aim(find)
        elif place := find(self.stepping.index):
            self.stepping.to(place.cursor)
            self._on_arrived(place)

    def _on_cancelled(self) -> None:
        """The engine was ended over what took too long: nothing is traced by itself until a person steps or changes something."""
        self.watched.hold()
        self.stepping.give_up()
        if self.run.engine != "stopped":
            self.message_posted.emit("info", "Cancelled. The run is made again up to where it stands, and traced when you step.")

    # --- the cursor ---

    def _on_trace_state_changed(self) -> None:
        self.breakpoints.set_index(self.stepping.index)

    def _on_detail_changed(self) -> None:
        self.watch(self.watched.panels)

    def _on_breakpoint_reached(self, place: BreakpointPlace) -> None:
        self.stepping.stop()
        self.message_posted.emit("warning", self.breakpoints.said(place))
        self.stepping.select(place.node)

    def _on_arrived(self, place: BreakpointPlace) -> None:
        if self.breakpoints.is_news(place):
            self._on_breakpoint_reached(place)
        else:
            self.stepping.select(place.node)

    def _on_unit_mapped(self, reply: messages.UnitMapped) -> None:
        if reply.revision == self.run.revision:
            self.responded.emit(reply)


def _changed_kinds(old: Experiment, new: Experiment) -> set[str]:
    """The layers that are gone, or of another kind: what was in them is not there any more."""
    kinds = {layer.id: layer.kind for layer in new.network}
    return {layer.id for layer in old.network if kinds.get(layer.id) != layer.kind}
