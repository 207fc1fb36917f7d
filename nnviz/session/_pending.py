"""What the engine has been asked and has not answered yet: it works at the oldest of it."""

from __future__ import annotations

from nnviz import messages

ANSWERS: dict[type[messages.Request], type[messages.Reply]] = {
    messages.Open: messages.Opened,
    messages.Edit: messages.Opened,
    messages.GoTo: messages.Moved,
    messages.TraceNext: messages.Traced,
    messages.Inspect: messages.Inspected,
    messages.InspectNode: messages.NodeInspected,
    messages.CheckGradient: messages.GradientChecked,
    messages.InspectBatch: messages.BatchInspected,
    messages.DrawInitial: messages.InitialDrawn,
    messages.MapUnit: messages.UnitMapped,
    messages.ListCalls: messages.CallsListed,
}
"""The requests that are answered in the order in which they were sent. Training is answered when it ends; others go on in between.

ReadTable is none of them: a file is read beside all else, and reading it can be stopped.
"""


class Pending:
    """Follows what is sent and what comes back. Without an engine nothing is pending: call `clear` when it has gone."""

    def __init__(self) -> None:
        self._requests: list[messages.Request] = []
        self._training: messages.Train | None = None
        self._is_pausing = False

    @property
    def oldest(self) -> messages.Request | None:
        """What the engine works at; None while it waits. While it trains all else waits for the iteration that is being made."""
        return self._training or (self._requests[0] if self._requests else None)

    @property
    def is_awaited(self) -> bool:
        """Whether training, if that is what the engine works at, is to end or something else waits for it."""
        return bool(self._requests) or self._is_pausing

    @property
    def is_superseded(self) -> bool:
        """Whether a run is to be opened, and the engine is still at something else: nobody needs that any more."""
        behind = self._requests if self._training else self._requests[1:]
        return any(isinstance(request, messages.Open) for request in behind)

    def sent(self, request: messages.Request) -> None:
        """Take a request that is on its way."""
        match request:
            case messages.Train():
                self._training, self._is_pausing = request, False
            case messages.Pause():
                self._is_pausing = True
            case _ if type(request) in ANSWERS:
                self._requests.append(request)

    def received(self, reply: messages.Reply) -> messages.Request | None:
        """Take a reply: it answers the oldest request of its kind, and those before that will not be answered. Return that request."""
        if _ends_training(reply):
            self._training = None
        for place, request in enumerate(self._requests):
            if _answers(reply, request):
                del self._requests[: place + 1]
                return request
        return None

    def clear(self) -> None:
        """Nothing will be answered any more."""
        self._requests.clear()
        self._training = None


def _ends_training(reply: messages.Reply) -> bool:
    """Whether the engine trains no more: it says nothing else of a training that another run or a way to an iteration has ended."""
    match reply:
        case messages.Trained() | messages.Moved() | messages.Opened(new_run=True) | messages.Failed(request="Train" | "GoTo"):
            return True
    return False


def _answers(reply: messages.Reply, request: messages.Request) -> bool:
    if isinstance(reply, messages.Failed):
        return reply.request == type(request).__name__ and reply.revision in (None, getattr(request, "revision", None))
    is_right = isinstance(reply, ANSWERS[type(request)])
    return is_right and (not isinstance(reply, messages.Opened) or reply.revision == request.revision)
