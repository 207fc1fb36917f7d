"""The calls of torch that an iteration is made of, asked for while somebody looks, and again when the network has become another."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.records.call_list import CallList
from nnviz.session.engine_link import EngineLink
from nnviz.session.queries import Query

Moment = tuple[int, int]
"""The revision, and how many changes of the run's log are in force: what the calls depend on."""


class CallLists(QObject):
    """Keeps `listed` up to date while it is wanted."""

    changed = Signal()
    """What is listed is another, or has become a thing of the past."""

    def __init__(self, link: EngineLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self.listed: CallList | None = None
        """The latest answer; None before the first."""
        self.failure = ""
        """Why there is no answer, as a sentence."""
        self._answered: Moment | None = None
        """What the latest answer is about."""
        self._asked: Moment | None = None
        self._was_present = False
        self._is_wanted = False
        self._query = Query(link, messages.ListCalls, messages.CallsListed, parent=self)
        self._query.answered.connect(self._keep)
        link.run_changed.connect(self._follow)

    @property
    def is_present(self) -> bool:
        """Whether what is listed is what the run goes on with."""
        return self._answered is not None and self._answered == self._moment()

    def want(self, wanted: bool) -> None:
        """Keep `listed` up to date from now on, or no longer."""
        self._is_wanted = wanted
        self._ask()

    def take(self, reply: messages.Reply) -> None:
        """Take the answer, if it is one; ask anew when there is another network."""
        if isinstance(reply, messages.Ready | messages.Opened):
            self._asked, self.failure = None, ""
        if isinstance(reply, messages.Failed) and reply.request == messages.ListCalls.__name__:
            self.failure = reply.message
            self.changed.emit()
        self._query.take(reply)
        self._ask()

    def _moment(self) -> Moment | None:
        """None while the engine has not taken over the present document."""
        link = self._link
        return (link.run.revision, len(link.log.until(link.run.iteration).changes)) if link.is_up_to_date else None

    def _ask(self) -> None:
        """Not on the way to another iteration, which a question would end."""
        moment = self._moment() if self._is_wanted and self._link.run.target is None and not self._query.is_waiting else None
        if moment is not None and moment not in (self._asked, self._answered):
            self._asked = moment
            self._query.want(messages.ListCalls())

    def _keep(self, reply: messages.CallsListed) -> None:
        if self._link.log is None:  # the document was replaced meanwhile
            return
        self.listed, self.failure = reply.listed, ""
        self._answered = (reply.revision, len(self._link.log.until(reply.iteration).changes))
        self._was_present = self.is_present
        self.changed.emit()

    def _follow(self) -> None:
        if self._is_wanted and self.is_present != self._was_present:
            self._was_present = self.is_present
            self.changed.emit()
