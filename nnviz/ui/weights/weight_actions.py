"""How the weights are opened."""

from __future__ import annotations

from nnviz.ui.shell_api import Act

ACTIONS = (
    Act("weights", "Edit weights…", "Edit", lambda f: f.open(), "Ctrl+Shift+M", "fa6s.table", "A parameter as a table: type, paste, draw anew, fill, lock", enabled=lambda f: bool(f.session.report.parameters)),
)
