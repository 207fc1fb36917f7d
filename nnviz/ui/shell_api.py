"""All that a feature knows of the window it stands in: what it may ask of it, and the rows in which it offers its actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from PySide6.QtGui import QAction, QPixmap
    from PySide6.QtWidgets import QMainWindow, QMenu, QWidget

    from nnviz.document.experiment import Experiment
    from nnviz.records.python_file import PythonFile
    from nnviz.ui.theme.colors import Theme
    from nnviz.ui.widgets.notes import NoteBar
    from nnviz.ui.widgets.toast import Toast


class Shell(Protocol):
    """The window, as its features see it."""

    notes: NoteBar
    toast: Toast
    action_table: Mapping[str, QAction]
    menus: Mapping[str, QMenu]

    @property
    def keeps_settings(self) -> bool:
        """Whether the next start of the program shall know what was set in this window."""

    @property
    def selected_layers(self) -> tuple[str, ...]:
        """Ids of the layers that properties and actions are about."""

    def window(self) -> QMainWindow:
        """Return the window itself, to stand dialogs over."""

    def update_actions(self) -> None:
        """Let every action say whether it can be called now."""

    def focus_canvas(self) -> None:
        """Let keys go to the graph where it is shown, else to the network."""

    def is_visible(self, panel: str) -> bool:
        """Return whether a panel can be seen in the present workspace."""

    def toggle_panel(self, panel: str) -> None:
        """Hide a panel, or show it, in the first workspace that has it if the present one has not."""

    def show_workspace(self, name: str) -> None:
        """Bring up a workspace: build · step · train · learn."""

    def update_needs(self) -> None:
        """Have measured what the panels that can be seen need now."""

    def thumbnail(self, experiment: Experiment, theme: Theme) -> QPixmap:
        """Return a small picture of a network."""

    def pictured(self, what: str) -> object:
        """Return what a picture is made of: graph · network · plots · window, or the name of a panel."""

    def is_settled(self) -> bool:
        """Return whether all that is seen is of the place where the run and the cursor stand."""

    def set_animated(self, animated: bool) -> None:
        """Let moves over the graph be shown in motion, or at once."""

    def panel_titles(self) -> dict[str, str]:
        """Return the titles of the panels that can be seen, by their names."""

    def export_picture(self, widget: QWidget) -> None:
        """Ask for a file and write a picture of one plot there."""

    def open_window(self, begin: Callable[[Any], object] | None = None) -> None:
        """Open another window; `begin` is given its `FilesFeature` before its engine starts."""

    def bring_up(self, path: Path) -> bool:
        """Bring the window to the front that has this document open; return whether another one has."""

    def run_python(self, file: PythonFile, name: str) -> None:
        """Have what `name` is in a file make its module, in a process of its own, and show it in a window of its own."""


@dataclass(frozen=True)
class Act:
    """An action a person can take. `call` and `enabled` are given the feature that offers it."""

    id: str
    text: str
    menu: str
    call: Callable[[Any], object]
    keys: str = ""
    icon: str = ""
    tip: str = ""
    short: str = ""
    """What a button says where there is no room for the text."""
    enabled: Callable[[Any], bool] = lambda feature: True
    after: str = ""
    """The action it stands behind in its menu; without one, behind those that were offered before."""


def has_trace(feature: Any) -> bool:
    """Return whether there is a trace to look at."""
    return feature.session.stepping.state is not None


def why_not(act: Act, feature: Any) -> str:
    """Return why an action that makes iterations or steps cannot be called now, as a sentence; empty for others, and if it can."""
    return feature.session.training.obstacle if act.enabled in (can_train, can_step) and getattr(feature, "session", None) else ""


def can_train(feature: Any) -> bool:
    """Return whether iterations can be made now."""
    return feature.session.training.can_train


def can_step(feature: Any) -> bool:
    """Return whether steps can be made now: not while it trains, nor on the way to another iteration."""
    session = feature.session
    return session.training.can_train and not session.run.training and not session.training.is_moving
