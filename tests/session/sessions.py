"""Sessions without an engine: a list is the wire, and the test says what comes back."""

from __future__ import annotations

from collections.abc import Iterator

from nnviz import messages
from nnviz.document import catalog
from nnviz.document.experiment import Experiment
from nnviz.document.network import Link, Network
from nnviz.document.run_log import LogUpdate, RunLog
from nnviz.document.training import Training
from nnviz.records.run_records import CurvePoint
from nnviz.session.session import Session
from tests.curve_points import travelling
from tests.session.traces import trace


class ListWire:
    """Keeps what is sent. `starts` counts how often an engine was asked for."""

    def __init__(self) -> None:
        self.sent: list[messages.Request] = []
        self.documents: dict[int, messages.Open | messages.Edit] = {}
        self.starts = 0
        self.is_stopped = False
        self.kills = 0

    def start(self) -> None:
        self.starts += 1

    def send(self, request: messages.Request) -> None:
        self.sent.append(request)
        if isinstance(request, messages.Open | messages.Edit):
            self.documents[request.revision] = request

    def stop(self) -> None:
        self.is_stopped = True

    def kill(self) -> None:
        self.kills += 1

    def take(self) -> list[messages.Request]:
        """Return what has been sent since the last call."""
        sent, self.sent = self.sent, []
        return sent

    def of(self, kind: type) -> list:
        """Return the requests of this kind that have not been taken."""
        return [request for request in self.sent if isinstance(request, kind)]


def two_moons(units: int = 4) -> Experiment:
    """Return a net 2-`units`-2 on two moons with Adam."""
    layers = (
        catalog.new_layer("input", "x", shape=[2]),
        catalog.new_layer("dense", "h1", units=units, activation="relu"),
        catalog.new_layer("dense", "out", units=2),
    )
    optimizer = catalog.new_choice(catalog.OPTIMIZERS, "adam", learning_rate=0.01)
    schedule = catalog.new_choice(catalog.SCHEDULES, "constant")
    data = catalog.new_choice(catalog.DATASETS, "moons", samples=60)
    return Experiment(Network(layers, (Link("x", "h1"), Link("h1", "out"))), data, Training(optimizer, schedule), "Two moons", seed=7)


class Stage:
    """A session, its wire, and everything it has said. The methods play the engine."""

    def __init__(self, experiment: Experiment | None = None, **options) -> None:
        self.wire = ListWire()
        self.session = Session(self.wire, experiment or two_moons(), **{"autosaves": False} | options)
        self.messages: list[tuple[str, str]] = []
        self.runs: list[tuple] = []
        self.session.message_posted.connect(lambda level, text: self.messages.append((level, text)))
        self.session.run_changed.connect(lambda old, new: self.runs.append((old, new)))
        self._number = 0
        self.log: RunLog | None = None
        """That of the engine."""

    def reply(self, *replies: messages.Reply) -> None:
        for reply in replies:
            self.session.link.receive(reply)

    def ready(self) -> None:
        """The engine is up."""
        self.session.start()
        self.reply(messages.Ready("2.13.0"))

    def opened(self, new_run: bool = True, iteration: int = 0, revision: int | None = None) -> None:
        """The engine goes on with the newest document."""
        revision = self.session.run.revision if revision is None else revision
        self.reply(messages.Opened(revision, iteration, 0, new_run, 2, log=self._logged(revision, new_run, iteration)))

    def _logged(self, revision: int, new_run: bool, iteration: int) -> LogUpdate:
        """What the engine makes of its log."""
        request = self.wire.documents.get(revision)
        if isinstance(request, messages.Open) or self.log is None or request is None:
            self.log = request.log if isinstance(request, messages.Open) else self.log
            return LogUpdate(len(self.log.changes) if self.log else 0)
        before = RunLog(request.experiment) if new_run else self.log
        self.log = before if new_run else before.changed(iteration, request.experiment)
        return before.update_to(self.log)

    def traced(self, iteration: int | None = None, **what) -> None:
        """The trace of the next iteration is there."""
        iteration = self.session.run.iteration if iteration is None else iteration
        self.reply(messages.Traced(self.session.run.revision, trace(iteration, **what)))

    def frame(self, iteration: int, revision: int | None = None, with_trace: bool = False) -> None:
        """A frame with the point of this iteration."""
        self._number += 1
        revision = self.session.run.revision if revision is None else revision
        record = trace(iteration) if with_trace else None
        point = CurvePoint(iteration, 1.0 / (1 + iteration))
        self.reply(messages.Frame(self._number, revision, iteration, 0, 0.01, travelling(point), trace=record))

    def trained(self, iteration: int, reason: str = "done", message: str = "") -> None:
        """Training has paused."""
        self.reply(messages.Trained(iteration, 0, reason, message))

    def stand(self) -> None:
        """Everything is there: engine, run, first trace; nothing of it is left on the wire."""
        self.ready()
        self.opened()
        self.traced()
        self.wire.take()

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.messages]


def kinds(requests: list[messages.Request]) -> list[str]:
    """Return the names of the requests."""
    return [type(request).__name__ for request in requests]


def stages() -> Iterator[Stage]:
    """For a fixture: a stage whose session is closed and deleted afterwards."""
    stage = Stage()
    yield stage
    stage.session.close()
