"""Every change a user can make, each a pure function Experiment -> Experiment that raises Refused (a ValueError) with why not and the cure.

The list only; the functions are in network_edits.py, training_edits.py, breakpoint_edits.py and paths.py.
"""

from nnviz.document.breakpoint_edits import add_breakpoint, change_breakpoint, remove_breakpoint, switch_breakpoints, toggle_breakpoint
from nnviz.document.network_edits import (
    add_layer,
    change_layer,
    clear_weights,
    connect_layers,
    disconnect_layers,
    duplicate_layers,
    freeze_layer,
    move_layers,
    new_id,
    remove_layers,
    rename_layer,
    set_initializer,
    set_parameter,
    set_parameters,
    set_weight,
    tidy,
)
from nnviz.document.paths import set_value
from nnviz.document.problems import Refused
from nnviz.document.training_edits import (
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

__all__ = [
    "Refused",
    "add_breakpoint",
    "add_layer",
    "change_breakpoint",
    "change_data",
    "change_layer",
    "change_optimizer",
    "change_schedule",
    "change_training",
    "choose_data",
    "choose_optimizer",
    "choose_schedule",
    "choose_table",
    "clear_weights",
    "connect_layers",
    "disconnect_layers",
    "duplicate_layers",
    "freeze_layer",
    "move_layers",
    "new_id",
    "remove_breakpoint",
    "remove_layers",
    "rename_layer",
    "set_initializer",
    "set_parameter",
    "set_parameters",
    "set_precision",
    "set_seed",
    "set_title",
    "set_value",
    "set_weight",
    "shape_input",
    "switch_breakpoints",
    "tidy",
    "toggle_breakpoint",
]
