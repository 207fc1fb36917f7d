"""Where what the doctor found is seen: pure functions from it to an iteration of the run, and to a cursor in the trace of that."""

from __future__ import annotations

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
_AT_START = ("symmetric_start", "start_loss")
"""Kinds that are seen with the weights of the start; others that are so from the start are so wherever the run stands."""


def iteration_of(finding: Finding) -> int | None:
    """Return how many iterations are finished before the one in which it began; None where it is seen in any."""
    if finding.since:
        return finding.since - 1
    return 0 if finding.kind in _AT_START else None


def cursor_of(index: TraceIndex, finding: Finding) -> int:
    """Return the place behind the last step of its phase in its layer; without a layer, behind the first step of the phase."""
    phase = "clip" if finding.place == "training.clip_norm" else _PHASES.get(finding.kind, "loss")
    steps = [step for step in index.trace.steps if step.phase == phase]
    if finding.layer:
        of_layer = [step for step in steps if step.node >= 0 and index.node(step.node).group[:1] == (finding.layer,)]
        return of_layer[-1].index + 1 if of_layer else 0
    return steps[0].index + 1 if steps else 0
