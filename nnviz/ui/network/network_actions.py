"""What the Edit menu offers for the layers on the canvas."""

from __future__ import annotations

from typing import Any

from nnviz.ui.shell_api import Act


def _has_layers(feature: Any) -> bool:
    return bool(feature.selected_layers)


def _has_several(feature: Any) -> bool:
    return len(feature.selected_layers) > 1


def _have_activation(feature: Any) -> bool:
    return bool(feature.building.with_activation())


ACTIONS = (
    Act("cut", "Cut layers", "Edit", lambda f: f.building.cut(), "Ctrl+X", "fa6s.scissors", "Put the selected layers on the clipboard and remove them", enabled=_has_layers),
    Act("copy", "Copy layers", "Edit", lambda f: f.building.copy(), "Ctrl+C", "fa6s.copy", "Put the selected layers on the clipboard as text, for here, another window or a mail", enabled=_has_layers),
    Act("paste", "Paste layers", "Edit", lambda f: f.building.paste(), "Ctrl+V", "fa6s.paste", "Add the layers that are on the clipboard, or a whole document that was copied as text"),
    Act("duplicate", "Duplicate layers", "Edit", lambda f: f.building.duplicate(), "Ctrl+Shift+D", "fa6s.clone", "Add a copy of the selected layers and the links among them", enabled=_has_layers),
    Act("delete", "Delete selected layers", "Edit", lambda f: f.building.delete_selected(), "Shift+Del", "fa6s.trash", "Remove the selected layers (Del on the canvas)", enabled=_has_layers),
    Act("select_all", "Select all layers", "Edit", lambda f: f.select_all(), "Ctrl+A", "fa6s.object-group", "Select every layer of the network"),
    Act("select_hidden", "Select the hidden layers", "Edit", lambda f: f.select_hidden(), "Ctrl+Alt+A", "fa6s.layer-group", "Select every layer with parameters but the last"),
    Act("activation", "Activation of the selected layers…", "Edit", lambda f: f.building.ask_activation(), "Ctrl+Shift+A", "fa6s.wave-square", "Give all selected layers another activation, as one change", enabled=_have_activation),
    Act("rename", "Rename layers", "Edit", lambda f: f.building.ask_name(), "F2", "fa6s.i-cursor", "Type another name on the canvas; several layers are numbered", enabled=_has_layers),
    Act("link", "Link layers…", "Edit", lambda f: f.building.ask_link(), "Ctrl+K", "fa6s.link", "Link the selected layer to another one, or the first of two selected ones to the second", enabled=_has_layers),
    Act("align_left", "Align left", "Edit", lambda f: f.building.align("left"), "Ctrl+Shift+Left", "fa6s.align-left", "Put the left sides of the selected layers in one line", enabled=_has_several),
    Act("align_top", "Align top", "Edit", lambda f: f.building.align("top"), "Ctrl+Shift+Up", "fa6s.arrow-up", "Put the upper sides of the selected layers in one line", enabled=_has_several),
    Act("distribute_across", "Distribute across", "Edit", lambda f: f.building.align("across"), "Ctrl+Shift+Right", "fa6s.arrows-left-right", "Equal gaps between the selected layers from left to right", enabled=_has_several),
    Act("distribute_down", "Distribute down", "Edit", lambda f: f.building.align("down"), "Ctrl+Shift+Down", "fa6s.arrows-up-down", "Equal gaps between the selected layers from top to bottom", enabled=_has_several),
    Act("tidy", "Tidy the network", "Edit", lambda f: f.building.tidy(), "Ctrl+L", "fa6s.table-cells", "Place all layers automatically", after="data"),
)
