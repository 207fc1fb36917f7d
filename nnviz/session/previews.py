"""Data that no run uses yet: rows of a data set, what is in a file. It asks the engine, one question after the other."""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.document.experiment import Experiment
from nnviz.session.conversation import Conversation

MOST_KEPT = 60
"""Answers that are kept for the next time."""

Key = tuple


class Previews(QObject):
    """Training goes on between two answers, as the next question is asked only then."""

    previewed = Signal(str, object)
    """The name under which the rows were asked for, and messages.Previewed."""
    looked_at = Signal(object)
    """messages.TableRead of the last file that was asked about."""

    def __init__(self, conversation: Conversation, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._conversation = conversation
        self._number = 0
        self._look: int | None = None
        self._wanted: deque[tuple[str, Key, Experiment]] = deque()
        self._asked: tuple[int, str, Key] | None = None
        self._kept: dict[Key, messages.Previewed] = {}
        conversation.replied.connect(self._take)

    def ask(self, name: str, experiment: Experiment) -> None:
        """Have `previewed` bring rows of the data of this document; what is still waiting under the same name is given up."""
        key = self._key(experiment)
        self._wanted = deque(entry for entry in self._wanted if entry[0] != name)
        if key in self._kept:
            self.previewed.emit(name, self._kept[key])
        else:
            self._wanted.append((name, key, experiment))
            self._go_on()

    def look(self, experiment: Experiment) -> None:
        """Have `looked_at` say what is in the file this document names, and what would become of it."""
        self._number += 1
        self._look = self._number
        self._conversation.ask(messages.ReadTable(self._number, experiment, self._conversation.folder))

    def forget(self) -> None:
        """Ask nothing more of what is waiting."""
        self._wanted.clear()

    def _key(self, experiment: Experiment) -> Key:
        data = experiment.data
        settings = tuple(sorted((name, repr(value)) for name, value in data.settings.items()))
        return data.kind, settings, experiment.seed, experiment.precision, self._conversation.folder

    def _go_on(self) -> None:
        if self._asked is None and self._wanted and self._conversation.run.engine == "ready":
            name, key, experiment = self._wanted.popleft()
            self._number += 1
            self._asked = (self._number, name, key)
            self._conversation.ask(messages.Preview(self._number, experiment, self._conversation.folder))

    def _take(self, reply: messages.Reply) -> None:
        match reply:
            case messages.Ready() | messages.Failed(request="Preview"):
                self._asked = None
                self._go_on()
            case messages.Previewed() if self._asked and reply.number == self._asked[0]:
                self._keep(reply, *self._asked[1:])
            case messages.TableRead() if reply.number == self._look:
                self.looked_at.emit(reply)

    def _keep(self, reply: messages.Previewed, name: str, key: Key) -> None:
        self._asked = None
        if key[0] != "csv":  # a file may change
            self._kept[key] = reply
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        self.previewed.emit(name, reply)
        self._go_on()
