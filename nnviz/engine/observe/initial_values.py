"""A parameter as a run would start with it, from any seed."""

from __future__ import annotations

from msgspec.structs import replace

from nnviz import messages
from nnviz.engine.errors import BuildError
from nnviz.engine.model.build import build
from nnviz.engine.observe.measures import array_of
from nnviz.engine.run.timeline import Timeline


def initial_drawn(timeline: Timeline, request: messages.DrawInitial) -> messages.InitialDrawn:
    """Return what the initializer of its layer gives the parameter under this seed. Raises BuildError if there is no such parameter."""
    net = build(replace(timeline.document, seed=request.seed, weights={}), timeline.data)
    parameters = dict(net.named_parameters())
    if request.parameter not in parameters:
        raise BuildError("", f"No parameter is called {request.parameter}.", f"There is: {', '.join(parameters)}.")
    return messages.InitialDrawn(request.parameter, request.seed, array_of(parameters[request.parameter].detach()))
