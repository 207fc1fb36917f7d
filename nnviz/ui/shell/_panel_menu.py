"""The panels as menu entries: each is shown or hidden in the present workspace, changes places with another one, or gets its own window.

It only asks the workspace area; what a panel shows it does not know.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from nnviz.ui.shell.workspaces import WorkspaceArea
from nnviz.ui.widgets.card import Card, header_height

TITLES = {
    "lesson": "Lesson",
    "teach": "Write a lesson",
    "layers": "Layers",
    "training": "Training",
    "network": "Network",
    "graph": "Computational graph",
    "inspector": "Chain rule",
    "batch": "Batch inspector",
    "properties": "Selected layer",
    "parameters": "Parameters",
    "loss": "Loss",
    "boundary": "Decision boundary",
    "histograms": "Histograms",
    "norms": "Gradient norm",
    "metric": "Metric",
    "landscape": "Loss landscape",
    "curvature": "Curvature",
    "range_test": "Learning-rate range test",
    "baselines": "Baselines",
    "distances": "Distances",
    "batch_costs": "Epoch by batch size",
    "confusion": "Confusion matrix",
    "weight_picture": "Weights as a picture",
    "columns": "Weight by input column",
    "feature_maps": "Feature maps",
    "attention": "Attention weights",
    "unit_maps": "Units over the plane",
    "latent": "Latent plane",
    "time_steps": "Gradient by time step",
    "runs": "Runs",
    "sweep": "Sweep",
    "hindsight": "Hindsight",
    "doctor": "Doctor",
    "ratios": "Update/weight ratio",
    "units": "Saturated and dead units",
    "spread": "Output spread by layer",
    "rates": "Learning rate and steps",
    "curve": "Activation curve",
    "modes": "Mean output by mode",
    "noise": "Gradient noise",
    "microscope": "Optimizer microscope",
}
"""What a panel is called in a menu; one that is not here is called by its name."""


class PanelMenu(QObject):
    """A checkable action for every panel, and the menus they stand in."""

    def __init__(self, area: WorkspaceArea, cards: dict[str, Card], parent: QWidget) -> None:
        super().__init__(parent)
        self._area, self._cards = area, cards
        self._document = ""
        self.actions = {name: self._action(name) for name in cards}
        self.pop_outs = {name: self._pop_out_action(name) for name in cards}
        area.workspace_changed.connect(self.follow)
        for name, card in cards.items():
            card.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            card.customContextMenuRequested.connect(lambda at, name=name: self._open(name, at))
            card.enlarge_requested.connect(lambda name=name: area.enlarge(name))
            card.dragged.connect(lambda at, name=name: area.show_target(name, at))
            card.dropped.connect(lambda at, name=name: area.drop(name, at))

    def _action(self, name: str) -> QAction:
        action = QAction(f"Show {title(name).lower()}", self.parent(), checkable=True)
        action.setToolTip(f"Show or hide this panel in the present workspace: {title(name)}")
        action.triggered.connect(lambda on, name=name: self._area.set_panel_visible(name, on))
        return action

    def _pop_out_action(self, name: str) -> QAction:
        action = QAction(f"Pop out {title(name).lower()}", self.parent(), checkable=True)
        action.setToolTip(f"Give this panel a window of its own, or put it back: {title(name)}")
        action.triggered.connect(lambda on, name=name: self._area.pop_out(name) if on else self._area.put_back(name))
        return action

    def set_document(self, document: str) -> None:
        """Let the windows of panels name this document, too."""
        self._document = document
        self.follow()

    def follow(self) -> None:
        """Let every entry say whether its panel can be seen, and where; those of other workspaces cannot be chosen."""
        shown, windows = self._area.shown_panels(), self._area.windows
        for name, action in self.actions.items():
            is_out = name in windows
            self.pop_outs[name].setChecked(is_out)
            action.setChecked(name in shown or is_out)
            for entry in (action, self.pop_outs[name]):
                entry.setVisible(name in self._area.panels() or is_out)
                entry.setEnabled(entry.isVisible() and shown != (name,))
        for name, window in windows.items():
            window.setWindowTitle(f"{title(name)} – {self._document}")

    def fill(self, menu: QMenu) -> None:
        """Give a menu the entries, and a submenu to let two panels change places."""
        menu.addSeparator()
        menu.addActions(list(self.actions.values()))
        menu.addMenu("Panels in their own window").addActions(list(self.pop_outs.values()))
        swaps = menu.addMenu("Swap panels")
        swaps.aboutToShow.connect(lambda: self._fill_swaps(swaps))

    def _fill_swaps(self, menu: QMenu) -> None:
        menu.clear()
        for name in self._area.shown_panels():
            self._offer_partners(menu.addMenu(title(name)), name)

    def _offer_partners(self, menu: QMenu, name: str) -> None:
        for other in self._area.shown_panels():
            if other != name:
                menu.addAction(title(other), lambda other=other: self._area.swap_panels(name, other))

    def card_menu(self, name: str) -> QMenu:
        """Return a new menu for one panel. Who opens it deletes it."""
        menu, is_out = QMenu(self._cards[name]), name in self._area.windows
        is_large = self._area.windows[name].isMaximized() if is_out else self._area.enlarged
        menu.addAction("Back to its place (Esc)" if is_large else "Enlarge (double click on the title)", lambda: self._area.enlarge(name))
        menu.addAction("Back into the main window", lambda: self._area.put_back(name)) if is_out else menu.addAction(self.pop_outs[name])
        menu.addAction(f"Hide {title(name).lower()}", lambda: self._area.set_panel_visible(name, False))
        if is_out:
            return menu
        self._offer_partners(menu.addMenu("Swap with (or drag its title there)"), name)
        hidden = [other for other in self._area.panels() if other not in self._area.visible_panels()]
        for other in hidden:
            menu.addAction(self.actions[other])
        menu.addSeparator()
        menu.addAction("Reset this workspace", self._area.reset)
        return menu

    def titles_in_sight(self) -> dict[str, str]:
        """Return what the panels that can be seen are called, by their names."""
        return {name: title(name) for name in self._area.visible_panels()}

    def _open(self, name: str, at: QPoint) -> None:
        """Open the menu over the header of a card."""
        if at.y() <= header_height():
            menu = self.card_menu(name)
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(self._cards[name].mapToGlobal(at))


def title(name: str) -> str:
    """Return what a panel is called."""
    return TITLES.get(name, name.capitalize())
