"""Every change a user can make, each a pure function Experiment -> Experiment that raises Refused (a ValueError) with why not and the cure.

The functions stand in the files of this folder; a problem's fix calls them by name.
"""

from nnviz.document.edits._breakpoint_edits import (
    add_breakpoint,
    change_breakpoint,
    remove_breakpoint,
    switch_breakpoints,
    toggle_breakpoint,
)
from nnviz.document.edits._by_path import set_value
from nnviz.document.edits._clipboard import clipping, duplicate_layers, paste_layers
from nnviz.document.edits._doctor_edits import change_bounds, reset_bounds
from nnviz.document.edits._lock_edits import lock_parameter, lock_weights
from nnviz.document.edits._usual_layer import add_usual_layer
from nnviz.document.edits.layer_edits import (
    add_layer,
    change_layer,
    clear_parameter,
    clear_weights,
    connect_layers,
    disconnect_layers,
    freeze_layer,
    insert_layer,
    merge_links,
    move_layers,
    new_id,
    reconnect_link,
    remove_layers,
    rename_layer,
    rename_layers,
    set_gain,
    set_initializer,
    set_learning_rate_factor,
    set_parameter,
    set_parameters,
    set_weight,
    tidy,
)
from nnviz.document.edits.training_edits import (
    change_data,
    change_optimizer,
    change_schedule,
    change_training,
    choose_data,
    choose_optimizer,
    choose_schedule,
    choose_table,
    set_precision,
    set_seed,
    set_title,
    shape_input,
)
from nnviz.document.experiment import Experiment
from nnviz.document.problems import Fix, Refused


def apply_fix(experiment: Experiment, fix: Fix) -> Experiment:
    """Return the experiment with a problem's fix made. Raises Refused where the experiment is no longer the one it was found in."""
    for step in fix.steps:
        experiment = globals()[step.edit](experiment, **dict(step.arguments))
    return experiment
