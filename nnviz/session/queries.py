"""What the window asks the engine without changing anything: one question at a time of each kind, and the latest wish wins."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.document.experiment import Experiment
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.session.engine_link import EngineLink

MOST_KEPT = 60
"""Previews that are kept for the next time."""
ENDED = "The engine ended twice while it read this. It may be too large for the memory."


class Query(QObject):
    """Asks questions of one kind. While an answer is on its way, only the latest wish of each name is kept, in order.

    Training goes on between two answers, as the next question is asked only then.
    """

    asked = Signal(object)
    """The request that has been sent."""
    answered = Signal(object)
    """The reply."""
    given_up = Signal(object, str)
    """The request that no run is about and that will not be answered, and a sentence that says why."""

    def __init__(
        self,
        link: EngineLink,
        question: type[messages.Request],
        answer: type[messages.Reply],
        is_of_run: bool = True,
        parent: QObject | None = None,
    ) -> None:
        """`is_of_run`: what is still wished is forgotten when another run is opened, or another engine comes."""
        super().__init__(parent)
        self._link, self._question, self._answer, self._is_of_run = link, question, answer, is_of_run
        self._asked: messages.Request | None = None
        self._name = ""
        """Of the wish that was asked for."""
        self._lost: messages.Request | None = None
        """What an engine died over, or at least died before it had answered it."""
        self._wishes: dict[str, messages.Request] = {}

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._asked is not None

    def want(self, request: messages.Request, name: str = "") -> None:
        """Have `answered` bring this; what is still waiting under the same name is given up."""
        self._wishes.pop(name, None)
        if request != self._asked:
            self._wishes[name] = request
            self._go_on()

    def drop(self, name: str | None = None) -> None:
        """Ask nothing more of what is waiting, or of what is waiting under this name."""
        for one in list(self._wishes) if name is None else [name]:
            self._wishes.pop(one, None)

    def take(self, reply: messages.Reply) -> None:
        """Take the answer, if it is one."""
        match reply:
            case messages.Ready():
                self._forget()
            case messages.Opened() if self._is_of_run:
                self._forget()
            case messages.Failed() if reply.request == self._question.__name__:
                self._give_up(reply.message)
            case _ if isinstance(reply, self._answer) and self._is_answer(reply):
                self._asked = None
                self.answered.emit(reply)
            case _:
                return
        self._go_on()

    def _is_answer(self, reply: messages.Reply) -> bool:
        """Whether it is not that to a question an engine before was asked: those that no run is about bear numbers."""
        number = getattr(self._asked, "number", None)
        return self._is_of_run or (number is not None and getattr(reply, "number", None) == number)

    def _forget(self) -> None:
        """What no run is about is asked again; all else has lost its meaning."""
        if self._is_of_run:
            self._wishes.clear()
        elif self._asked is not None and self._asked is self._lost:
            self._give_up(ENDED)
        elif self._asked is not None:
            self._lost = self._wishes.setdefault(self._name, self._asked)
        self._asked = None

    def _give_up(self, reason: str) -> None:
        request, self._asked = self._asked, None
        if request is not None and not self._is_of_run:
            self.given_up.emit(request, reason)

    def _go_on(self) -> None:
        if self._asked is None and self._wishes and self._link.run.engine == "ready":
            self._name = next(iter(self._wishes))
            self._asked = self._wishes.pop(self._name)
            self._link.ask(self._asked)
            self.asked.emit(self._asked)


class NodeNumbers(QObject):
    """Brings the numbers around the node that is looked at, where they were too large to travel with the trace."""

    arrived = Signal(int)
    """The node whose numbers have been added to the trace."""

    def __init__(self, link: EngineLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._query = Query(link, messages.InspectNode, messages.NodeInspected, parent=self)
        self._query.asked.connect(lambda request: self._asked.add(request))
        self._query.answered.connect(self._add)
        self._index: TraceIndex | None = None
        self._asked: set[messages.InspectNode] = set()

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._query.is_waiting

    def want(self, state: TraceState, node: int) -> None:
        """Ask for what is missing around a node, for the chosen row; once. Of neurons nothing is asked, nor while the run trains."""
        if state.index.is_scalar:
            return
        if state.index is not self._index:
            self._index, self._asked = state.index, set()
            self._query.drop()
        run, wish = self._link.run, messages.InspectNode(node, state.sample)
        is_latest = run.trace_index is state.index and not run.training and run.target is None
        if is_latest and wish not in self._asked and state.index.lacks(node, state.sample):
            self._query.want(wish)

    def take(self, reply: messages.Reply) -> None:
        """Take the answer, if it is one."""
        self._query.take(reply)

    def _add(self, reply: messages.NodeInspected) -> None:
        is_ours = self._index is not None and reply.revision == self._link.run.revision
        if is_ours and self._index.take(reply.tensors):
            self.arrived.emit(reply.tensors.node)


class BatchRows(QObject):
    """What every row of the batch adds to the iteration that comes next, asked for once per iteration while somebody looks at it."""

    changed = Signal(object)
    """messages.BatchInspected | None"""

    def __init__(self, link: EngineLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self.inspected: messages.BatchInspected | None = None
        """The latest answer; None before the first of a run."""
        self._query = Query(link, messages.InspectBatch, messages.BatchInspected, parent=self)
        self._query.answered.connect(self._keep)
        self._is_wanted = False
        self._asked: tuple[int, int] | None = None

    def want(self, wanted: bool) -> None:
        """Keep `inspected` up to date from now on, or no longer."""
        self._is_wanted = wanted
        self._ask()

    def take(self, reply: messages.Reply) -> None:
        """Take the answer, if it is one; ask anew when the run stands at another iteration."""
        if isinstance(reply, messages.Ready | messages.Opened):
            self._asked = None
        self._query.take(reply)
        self._ask()

    def _ask(self) -> None:
        run = self._link.run
        stands = self._link.is_up_to_date and not run.training and run.target is None
        if self._is_wanted and stands and self._asked != (run.revision, run.iteration):
            self._asked = (run.revision, run.iteration)
            self._query.want(messages.InspectBatch())

    def _keep(self, reply: messages.BatchInspected) -> None:
        self.inspected = reply
        self.changed.emit(reply)


class DataPreviews(QObject):
    """Data that no run uses yet: rows of a data set, what is in a file."""

    previewed = Signal(str, object)
    """The name under which the rows were asked for, and messages.Previewed."""
    looked_at = Signal(object)
    """messages.TableRead of the last file that was asked about."""
    glimpsed = Signal(object)
    """messages.TableGlimpsed of it, while it is being read."""

    def __init__(self, link: EngineLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._number = 0
        self._latest = 0
        self._asked: dict[int, tuple[str, tuple]] = {}
        self._kept: dict[tuple, messages.Previewed] = {}
        self._rows = Query(link, messages.Preview, messages.Previewed, is_of_run=False, parent=self)
        self._rows.answered.connect(self._keep)
        self._rows.given_up.connect(lambda request, reason: self._tell_rows(messages.Previewed(request.number, message=reason)))
        self._tables = Query(link, messages.ReadTable, messages.TableRead, is_of_run=False, parent=self)
        self._tables.answered.connect(self._tell)
        self._tables.given_up.connect(lambda request, reason: self._tell(messages.TableRead(request.number, message=reason)))

    def ask(self, name: str, experiment: Experiment) -> None:
        """Have `previewed` bring rows of the data of this document; what is still waiting under the same name is given up."""
        key = self._key(experiment)
        if key in self._kept:
            self._rows.drop(name)
            self.previewed.emit(name, self._kept[key])
        else:
            self._number += 1
            self._asked[self._number] = name, key
            self._rows.want(messages.Preview(self._number, experiment, self._link.folder), name)

    def look(self, experiment: Experiment, suggests: bool = False) -> None:
        """Have `looked_at` say what is in the file this document names, and what would become of it.

        A file before it is read no further. `suggests`: a target is suggested where none is named.
        """
        self.stop_looking()
        self._number += 1
        self._latest = self._number
        self._tables.want(messages.ReadTable(self._number, experiment, self._link.folder, suggests))

    def stop_looking(self) -> None:
        """Have the file that is being read read no further; `looked_at` then says so."""
        self._tables.drop()
        if self._tables.is_waiting:
            self._link.ask(messages.StopReading(self._latest))

    def forget(self) -> None:
        """Ask nothing more of what is waiting."""
        self._rows.drop()

    def take(self, reply: messages.Reply) -> None:
        """Take the answer, if it is one."""
        self._rows.take(reply)
        self._tables.take(reply)
        if isinstance(reply, messages.TableGlimpsed) and reply.number == self._latest and self._tables.is_waiting:
            self.glimpsed.emit(reply)

    def _key(self, experiment: Experiment) -> tuple:
        data = experiment.data
        settings = tuple(sorted((name, repr(value)) for name, value in data.settings.items()))
        return data.kind, settings, experiment.seed, experiment.precision, self._link.folder

    def _keep(self, reply: messages.Previewed) -> None:
        key = self._asked[reply.number][1]
        if key[0] != "csv":  # a file may change
            self._kept[key] = reply
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        self._tell_rows(reply)

    def _tell_rows(self, reply: messages.Previewed) -> None:
        name = self._asked[reply.number][0]
        self._asked = {number: asked for number, asked in self._asked.items() if number > reply.number}
        self.previewed.emit(name, reply)

    def _tell(self, reply: messages.TableRead) -> None:
        if reply.number == self._latest:
            self.looked_at.emit(reply)
