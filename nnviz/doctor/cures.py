"""What can be done about a finding: edits of the document, the most promising first. Pure."""

from __future__ import annotations

from nnviz.document.experiment import Experiment
from nnviz.document.problems import Fix, fix, step
from nnviz.records.finding import Finding


def cures(finding: Finding, experiment: Experiment) -> tuple[Fix, ...]:
    """Return the edits that may cure it, each of which `edits.apply_fix` makes; none where only a person can tell."""
    if finding.kind == "exploding":
        return (fix("Clip gradients to norm 1", step("change_training", clip_norm=1.0)),)
    return ()
