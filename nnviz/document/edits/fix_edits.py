"""Makes the edits that a problem offers as its cure. What the cure is was decided where the problem was found."""

from __future__ import annotations

from nnviz.document.edits import layer_edits, training_edits
from nnviz.document.experiment import Experiment
from nnviz.document.problems import Fix

_EDITS = {
    edit.__name__: edit
    for edit in (
        layer_edits.add_layer,
        layer_edits.change_layer,
        layer_edits.clear_parameter,
        layer_edits.connect_layers,
        layer_edits.disconnect_layers,
        layer_edits.freeze_layer,
        layer_edits.merge_links,
        layer_edits.remove_layers,
        training_edits.change_data,
        training_edits.change_optimizer,
        training_edits.change_schedule,
        training_edits.change_training,
        training_edits.choose_data,
        training_edits.choose_optimizer,
        training_edits.choose_schedule,
    )
}


def apply_fix(experiment: Experiment, fix: Fix) -> Experiment:
    """Return the experiment with a problem's fix made. Raises Refused where the experiment is no longer the one it was found in."""
    for step in fix.steps:
        experiment = _EDITS[step.edit](experiment, **dict(step.arguments))
    return experiment
