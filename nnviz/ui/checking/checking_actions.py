"""How the sheet for gradients of one's own is opened."""

from __future__ import annotations

from nnviz.ui.shell_api import Act

ACTIONS = (
    Act(
        "check_gradients", "Check my gradients…", "Step", lambda f: f.open(), "Ctrl+Shift+K", "fa6s.list-check",
        "Type or paste gradients you worked out yourself: the first wrong one is named, and by which slip it came about",
        enabled=lambda f: f.source.stepping.state is not None,
    ),
)  # fmt: skip
