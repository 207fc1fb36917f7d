"""What the panel of the selected layers asks for, as edits of the session: one step of undo, also where it is for several layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nnviz.document import edits
from nnviz.document.experiment import Experiment

if TYPE_CHECKING:
    from nnviz.ui.shell.main_window import MainWindow


def connect(window: MainWindow) -> None:
    """Join the panel with the session."""
    properties, session = window.panels.properties, window.session

    def change(id: str, settings: dict[str, object], merge: str) -> None:
        _edit_all(window, "Change layer", edits.change_layer, id, merge=merge, **settings)

    def set_own(id: str, name: str, value: object) -> None:
        _edit_all(window, f"Change {name.replace('_', ' ')}", _set_own, id, name, value, merge=f"{id}.{name}")

    properties.change_requested.connect(change)
    properties.rename_requested.connect(lambda id, name: session.edit("Rename layer", edits.rename_layer, id, name))
    properties.freeze_requested.connect(lambda id, frozen: _edit_all(window, "Freeze layer", edits.freeze_layer, id, frozen))
    properties.initializer_requested.connect(lambda id, name: _edit_all(window, "Change initializer", edits.set_initializer, id, name))
    properties.value_requested.connect(set_own)
    properties.fix_requested.connect(lambda fix: _edit_by_button(window, fix.label, edits.apply_fix, fix))
    properties.delete_requested.connect(lambda ids: _edit_by_button(window, "Delete layers", edits.remove_layers, ids))


def _edit_all(
    window: MainWindow, label: str, function: Callable[..., Experiment], id: str, *args: Any, merge: str = "", **settings: Any
) -> None:
    """Edit all selected layers as this one of them."""
    ids = window.selected_layers if id in window.selected_layers else (id,)

    def edited(experiment: Experiment) -> Experiment:
        for one in ids:
            experiment = function(experiment, one, *args, **settings)
        return experiment

    window.session.edit(f"{label}s" if len(ids) > 1 and label.endswith("layer") else label, edited, merge=merge)


def _set_own(experiment: Experiment, id: str, name: str, value: object) -> Experiment:
    return edits.set_value(experiment, f"network.layers.{id}.{name}", value)


def _edit_by_button(window: MainWindow, label: str, function: Callable[..., Experiment], *args: Any) -> None:
    """Edit, and give the keyboard to the canvas: the button that had it is gone."""
    window.session.edit(label, function, *args)
    window.panels.network.setFocus()
