"""How data and batch are opened."""

from __future__ import annotations

from nnviz.ui.shell_api import Act

ACTIONS = (
    Act("data", "Data…", "Edit", lambda f: f.open(), "Ctrl+Alt+D", "fa6s.database", "Choose a data set, a file or points of your own; noise, split, scaling"),
    Act("batch", "Batch inspector: show or hide", "Step", lambda f: f.toggle_batch(), "Ctrl+Alt+B", "fa6s.table-list", "Every row of the batch: input, target, answer, loss and gradient norm; a click looks at it"),
)
