"""How the parts of a session act on each other: an edit on the run, the run on the cursor, the cursor on the run.

Nothing else is decided here, and the parts know nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from nnviz import messages
from nnviz.document.experiment import Experiment
from nnviz.document.shapes.report import examine
from nnviz.session.run import RunState

if TYPE_CHECKING:
    from nnviz.session.session import Session


class Coupling(QObject):
    """Listens to one session's parts for as long as the session lives."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self.train_first = 0
        """Iterations to train as soon as the run is open."""

    def connect_parts(self) -> None:
        """Listen. What a part posts, the session posts."""
        session = self._session
        session.document.edited.connect(self._edited)
        session.document.replaced.connect(self._replaced)
        session.document.changed.connect(self._document_changed)
        session.resumption.kept_changed.connect(session.document_changed)
        session.conversation.run_changed.connect(self._run_changed)
        session.conversation.replied.connect(self._replied)
        session.stepping.trace_state_changed.connect(lambda old, new: session.breaker.moved())
        session.stepping.detail_changed.connect(self._detail_changed)
        session.stepping.halted.connect(session.breaker.tell)
        session.breaker.halted.connect(session.stepping.select)
        for part in (session.document, session.conversation, session.breaker, session.what_ifs, session.resumption, session.interlude):
            part.message_posted.connect(session.message_posted)

    def advance(self, count: int = 1) -> bool:
        """Make the next trace come, by making so many iterations if the present trace is that of the first; return whether it will."""
        session = self._session
        if not self._is_possible():
            return False
        if session.run.training:
            session.trainer.pause()
        elif session.run.is_traced:
            session.trainer.iterations(count, past=session.breaker.is_active)  # the person has walked through it
        else:
            session.watching.trace(again=True)
        return True

    def retreat(self, iteration: int) -> bool:
        """Make the trace of an iteration come that lies back; return whether it will."""
        possible = self._is_possible()
        if possible:
            self._session.trainer.go_to(iteration)
        return possible

    def _is_possible(self) -> bool:
        session = self._session
        if session.trainer.obstacle:
            session.message_posted.emit("warning", session.trainer.obstacle)
        return not session.trainer.obstacle

    # --- the document ---

    def _edited(self, old: Experiment, new: Experiment) -> None:
        session = self._session
        session.report = examine(new)
        session.breaker.set_experiment(new)
        self._forget_details_of(_changed_kinds(old, new))
        session.experiment_changed.emit(old, new)
        if old.breakpoints != new.breakpoints:
            session.breakpoints_changed.emit()
        if not session.report.ok:
            session.trainer.pause()
            self._give_up()
        is_another, said = session.succession.follow(new, session.report)
        if is_another:
            self._give_up()
        if said:
            session.message_posted.emit("info", said)

    def _replaced(self, old: Experiment, new: Experiment) -> None:
        session = self._session
        self._give_up()
        session.interlude.drop()
        session.succession.forget()
        session.trainer.pause()
        session.report = examine(new)
        session.breaker.set_experiment(new)
        self._forget_details_of({path.split("/")[0] for path, _ in session.stepping.details})
        session.experiment_changed.emit(old, new)
        session.breakpoints_changed.emit()
        session.conversation.begin(new, session.report.ok, session.document.folder)

    def _document_changed(self) -> None:
        self._session.conversation.folder = self._session.document.folder
        self._session.document_changed.emit()

    def _forget_details_of(self, layers: set[str]) -> None:
        for path, _ in self._session.stepping.details:
            if path.split("/")[0] in layers:
                self._session.stepping.set_detail_of(path, "")

    # --- the run ---

    def _run_changed(self, old: RunState, new: RunState) -> None:
        session = self._session
        session.run_changed.emit(old, new)
        session.stepping.show(new.trace_index, new.training, new.is_traced)
        session.breaker.shown()
        if new.engine != "ready" or new.failure:
            self._give_up()
        elif new.training and not session.stepping.is_awaiting:
            session.stepping.stop()

    def _replied(self, reply: messages.Reply) -> None:
        session = self._session
        if isinstance(reply, messages.Opened) and (said := session.succession.opened(reply)):
            session.message_posted.emit("info", said)
        match reply:
            case messages.Opened() if self.train_first:
                iterations, self.train_first = self.train_first, 0
                session.trainer.iterations(iterations)
            case messages.Opened() if reply.reasons:
                session.message_posted.emit("info", " ".join(reply.reasons))
            case messages.Failed() if reply.revision in (None, session.run.revision) and reply.request != "start":
                self._give_up()
                session.message_posted.emit("error", " ".join(filter(None, (reply.message, reply.cure))))
                if reply.place == "detail":
                    self._take_detail_back()
            case messages.Trained():
                self._trained(reply)
            case messages.Inspected():
                session.inspected.emit(reply)
            case messages.GradientChecked():
                session.gradient_checked.emit(reply)
            case messages.UnitMapped() if reply.revision == session.run.revision:
                session.responded.emit(reply)

    def _trained(self, reply: messages.Trained) -> None:
        if self._session.run.is_traced:  # the iteration could not be made: no other trace will come
            self._give_up()
        if reply.message:
            self._session.message_posted.emit("warning" if reply.reason in ("non_finite", "breakpoint") else "info", reply.message)
        self._session.breaker.trained(reply)

    def _give_up(self) -> None:
        """Wait for no trace any longer, and play no further."""
        self._session.stepping.give_up()

    # --- the cursor ---

    def _take_detail_back(self) -> None:
        """The iteration is too large for the detail that was asked for: it stays as it was."""
        stepping = self._session.stepping
        shown = stepping.index.trace.detail if stepping.index else stepping.detail
        stepping.set_detail("textbook" if shown == stepping.detail else shown)

    def _detail_changed(self, detail: str) -> None:
        self._session.watching.watch(self._session.watching.panels, detail, self._session.stepping.details)


def _changed_kinds(old: Experiment, new: Experiment) -> set[str]:
    """The layers that are gone, or of another kind: what was in them is not there any more."""
    kinds = {layer.id: layer.kind for layer in new.network}
    return {layer.id for layer in old.network if kinds.get(layer.id) != layer.kind}
