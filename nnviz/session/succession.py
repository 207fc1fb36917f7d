"""Which run a document belongs to: the present one while something of its network is left, a former one when that comes back, else a new
one. It changes no document.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from nnviz import messages
from nnviz.document.experiment import Experiment
from nnviz.document.network import split_parameter
from nnviz.document.shapes.report import Report, examine
from nnviz.session.conversation import Conversation
from nnviz.session.lineage import Lineage
from nnviz.session.run import without_pictures

_MOST_FORMER = 8
_SEEN = ("iterations_per_epoch", "data", "curves", "snapshots")


@dataclass(frozen=True)
class _Former:
    """A run that was left, and what it looked like."""

    lineage: Lineage
    iteration: int
    seen: dict[str, Any]
    """Of its RunState what is shown at once when it comes back; a trace is too large to be kept for that."""


class Succession:
    """Follows the document of one session. A run goes on with a changed network only if at least one of its tensors is carried over."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._former: list[_Former] = []
        self._returning: int | None = None
        """The revision with which a former run is on its way back."""
        self._base: Experiment | None = None
        self._parameters: dict[str, tuple[int, ...]] = {}
        self._alive: set[str] = set()
        """The layers of `_base` with parameters that were in the document all the time."""

    def forget(self) -> None:
        """Another document is open: what was left belongs to none of its states."""
        self._former.clear()
        self._returning = None

    def follow(self, experiment: Experiment, report: Report) -> tuple[bool, str]:
        """Go on with this document, in the run it belongs to. Returns whether that is another run than before, and what to say of it."""
        conversation, former = self._conversation, self._back(experiment) if report.ok else None
        if former:
            self._keep()
            self._former.remove(former)
            self._return_to(former, experiment)
            return True, ""
        if not self._is_gone(experiment, report):
            conversation.change(experiment, report.ok)
            return False, ""
        trained = conversation.run.iteration
        self._keep()
        self._leave()
        conversation.change(experiment, report.ok)
        said = "Nothing of the former network is left: the run begins at iteration 0. Undo brings the old one back."
        return (True, said) if trained else (False, "")

    def opened(self, reply: messages.Opened) -> str:
        """A run is there. Returns a sentence if it is a trained one that has come back."""
        if self._returning is None or not reply.new_run or reply.revision < self._returning:
            return ""
        self._returning = None
        return f"The former network is back, and its run stands at iteration {reply.iteration:,} again." if reply.iteration else ""

    def _back(self, experiment: Experiment) -> _Former | None:
        """The run that was left with this very network: by undo or redo, for one that is built again is another."""
        return next((former for former in self._former if former.lineage.last.network is experiment.network), None)

    def _leave(self) -> None:
        """Give the run up. The next document that can be built begins another one."""
        conversation, self._returning = self._conversation, None
        revision, conversation.lineage = conversation.run.revision + 1, None
        conversation.update(replace(without_pictures(conversation.run), revision=revision, opened=revision, iteration=0, epoch=0))

    def _return_to(self, former: _Former, experiment: Experiment) -> None:
        """Go back to a run that was left: it is made again, and looks at once as it did."""
        conversation = self._conversation
        conversation.experiment, conversation.is_sound = experiment, True
        opened = conversation.run.revision + 1  # what the run that is left still sends is not its own
        conversation.update(replace(without_pictures(conversation.run), opened=opened, **former.seen))
        conversation.begin_again(former.lineage, former.iteration)
        self._returning = conversation.run.revision

    def _keep(self) -> None:
        conversation = self._conversation
        if conversation.lineage is not None:
            run = conversation.run
            former = _Former(conversation.lineage, run.iteration, {name: getattr(run, name) for name in _SEEN})
            self._former = [*self._former, former][-_MOST_FORMER:]

    def _is_gone(self, experiment: Experiment, report: Report) -> bool:
        """Whether no tensor of the run could go on in this network."""
        lineage = self._conversation.lineage
        if lineage is None or experiment.network is lineage.last.network:
            self._base = None
            return False
        if self._base is not lineage.last:
            self._base = lineage.last
            self._parameters = _tensors(examine(lineage.last))
            self._alive = {split_parameter(name).layer for name in self._parameters}
        self._alive &= {layer.id for layer in experiment.network}
        shapes = _tensors(report) if report.ok else self._parameters
        kept = (name for name, shape in self._parameters.items() if shapes.get(name) == shape)
        return not any(split_parameter(name).layer in self._alive for name in kept)


def _tensors(report: Report) -> dict[str, tuple[int, ...]]:
    """The shapes of all parameters."""
    return report.parameters_by_name
