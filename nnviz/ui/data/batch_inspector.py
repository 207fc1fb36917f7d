"""Joins the batch inspector with the session: which rows it shows, which of them is looked at, and whether it can be seen at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnviz.ui.shell.main_window import MainWindow

PANEL = "batch"
HOME = "step"
"""The workspace that has the panel."""


def connect(window: MainWindow) -> None:
    """Let the panel follow the session, and the stepping the panel."""
    panel, session = window.panels.batch, window.session
    panel.row_picked.connect(session.stepping.set_sample)
    session.batch.changed.connect(lambda batch: show(window))
    session.run_changed.connect(lambda old, new: show(window) if new.data is not old.data else None)
    session.stepping.trace_state_changed.connect(lambda old, new: panel.set_sample(new.sample if new else None))
    window.area.workspace_changed.connect(lambda name: session.batch.want(PANEL in window.area.visible_panels()))


def show(window: MainWindow) -> None:
    """Show the latest answer of the engine."""
    batch, state = window.session.batch.inspected, window.session.stepping.state
    window.panels.batch.set_batch(batch, window.session.run.data)
    window.panels.batch.set_sample(state.sample if state else None)
    subtitle = f"iteration {batch.iteration + 1:,}, next" if batch else ""
    window.panels.cards[PANEL].set_subtitle(subtitle)


def toggle(window: MainWindow) -> None:
    """Show the inspector, in the workspace that has it, or hide it."""
    if PANEL not in window.area.panels():
        window.area.show_workspace(HOME)
        window.area.set_panel_visible(PANEL, True)
    else:
        window.area.set_panel_visible(PANEL, PANEL not in window.area.visible_panels())
    if PANEL in window.area.visible_panels():
        window.panels.batch.table.setFocus()
