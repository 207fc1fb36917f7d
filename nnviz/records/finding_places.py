"""Where what the doctor found is seen: pure functions from it to an iteration of the run, and to a cursor in the trace of that."""

from __future__ import annotations

from nnviz.records.breakpoint_places import first_non_finite
from nnviz.records.finding import Finding
from nnviz.records.trace_index import TraceIndex

_PHASES = {
    "input_scale": "batch",
    "output_range": "forward",
    "no_non_linearity": "forward",
    "symmetric_start": "forward",
    "dead_relu": "forward",
    "saturated": "forward",
    "mode_gap": "forward",
    "exploding": "backward",
    "vanishing": "backward",
    "rate_too_large": "update",
    "rate_too_small": "update",
    "penalty_dominates": "update",
}
"""In which phase of an iteration each kind is seen; the others in the loss."""
_ANYWHERE = ("input_scale", "output_range", "no_non_linearity")
"""Kinds that are seen wherever the run stands."""
_BEHIND = ("non_finite", "symmetric_start", "start_loss")
"""Kinds that are seen in the iteration behind the one they are said to be since."""


def iteration_of(finding: Finding) -> int | None:
    """Return how many iterations are finished before the one in which it began; None where it is seen in any."""
    if finding.kind in _ANYWHERE:
        return None
    return finding.since if finding.kind in _BEHIND else max(0, finding.since - 1)


def cursor_of(index: TraceIndex, finding: Finding) -> int:
    """Return the place behind the last step of its phase in its layer; without a layer, behind the first step of the phase.

    What is not finite is where the first such number is made.
    """
    if finding.kind == "non_finite":
        first = first_non_finite(index)
        return first.cursor if first else 0
    phase = "clip" if finding.place == "training.clip_norm" else _PHASES.get(finding.kind, "loss")
    steps = [step for step in index.trace.steps if step.phase == phase]
    if finding.layer:
        of_layer = [step for step in steps if step.node >= 0 and index.node(step.node).group[:1] == (finding.layer,)]
        return of_layer[-1].index + 1 if of_layer else 0
    return steps[0].index + 1 if steps else 0
