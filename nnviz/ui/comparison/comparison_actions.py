"""What the Run menu offers for several runs."""

from __future__ import annotations

from nnviz.ui.shell_api import Act, can_train

ACTIONS = (
    Act("compare_runs", "Compare runs…", "Run", lambda f: f.ask(), "Ctrl+Shift+C", "fa6s.flag-checkered", "Train up to 8 runs beside the present one with one thing changed: optimizers, learning rates, seeds, any setting", enabled=can_train, after="ghosts"),
    Act("cancel_comparison", "Cancel the comparison", "Run", lambda f: f.session.comparison.cancel(), "", "fa6s.ban", "Train the compared runs no further; what has been made of them stays", enabled=lambda f: f.session.comparison.is_going, after="compare_runs"),
)
