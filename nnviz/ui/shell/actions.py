"""The actions of a window: what the features and the window itself offer, joined into menus, keys and buttons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QIcon, QKeySequence, QPixmap
from PySide6.QtWidgets import QMainWindow, QMenu

from nnviz.ui.checking import checking_actions
from nnviz.ui.comparison import comparison_actions
from nnviz.ui.data import data_actions
from nnviz.ui.doctor import doctor_actions
from nnviz.ui.files import file_actions
from nnviz.ui.graph import graph_actions
from nnviz.ui.learn import learn_actions
from nnviz.ui.network import network_actions
from nnviz.ui.run import run_actions
from nnviz.ui.shell_api import Act, why_not
from nnviz.ui.step import step_actions
from nnviz.ui.sweep import sweep_actions
from nnviz.ui.teach import teach_actions
from nnviz.ui.theme.colors import current_theme
from nnviz.ui.weights import weight_actions

WINDOW = (
    Act("close", "Close the window", "File", lambda w: w.close_active(), "Ctrl+W", "fa6s.xmark", "Close this window and its engine, the others stay; in the window of a panel, put that back"),
    Act("quit", "Quit", "File", lambda w: w.quit(), "Ctrl+Q", "fa6s.power-off", "Close all windows"),
    Act("undo", "Undo", "Edit", lambda w: w.session.undo_order.undo(), "Ctrl+Z", "fa6s.rotate-left", "Take back the last change", enabled=lambda w: w.session.undo_order.can_undo),
    Act("redo", "Redo", "Edit", lambda w: w.session.undo_order.redo(), "Ctrl+Y", "fa6s.rotate-right", "Make the change again", enabled=lambda w: w.session.undo_order.can_redo),
    Act("build_workspace", "Build workspace", "View", lambda w: w.features.area.show_workspace("build"), "Ctrl+1", "fa6s.pen-ruler", "The canvas is large"),
    Act("step_workspace", "Step workspace", "View", lambda w: w.features.area.show_workspace("step"), "Ctrl+2", "fa6s.shoe-prints", "One iteration, node by node"),
    Act("train_workspace", "Train workspace", "View", lambda w: w.features.area.show_workspace("train"), "Ctrl+3", "fa6s.chart-line", "The plots are large"),
    Act("learn_workspace", "Learn workspace", "View", lambda w: w.features.area.show_workspace("learn"), "Ctrl+4", "fa6s.graduation-cap", "A lesson that asks, beside the window it drives"),
    Act("enlarge_panel", "Enlarge this panel", "View", lambda w: w.enlarge_panel(), "F4", "fa6s.maximize", "Give the panel with the keyboard all the room, or its place again; so does a double click on its title"),
    Act("pop_out_panel", "Pop this panel out", "View", lambda w: w.pop_out_panel(), "Shift+F4", "fa6s.up-right-from-square", "Give the panel with the keyboard a window of its own, or put it back; so does dragging its title out of the window"),
    Act("run_bar", "Run bar: show or hide", "View", lambda w: w.toggle_run_bar(), "Ctrl+Alt+I", "fa6s.timeline", "All iterations of the run and its branches under the window, to go back to any"),
    Act("present", "Presenter mode", "View", lambda w: w.toggle_presenting(), "Ctrl+F5", "fa6s.person-chalkboard", "Big letters on the whole screen for a projector, one key for the next step; Esc leaves"),
    Act("fit", "Fit the graph", "View", lambda w: w.fit(), "F", "fa6s.expand", "Show the whole graph"),
    Act("theme", "Light or dark", "View", lambda w: w.toggle_theme(), "Ctrl+Shift+L", "fa6s.circle-half-stroke", "Change between the light and the dark theme", after="detail_math"),
    Act("larger_text", "Larger text", "View", lambda w: w.change_text_size(+1), "Ctrl++; Ctrl+=", "fa6s.magnifying-glass-plus", "Show all texts larger, up to twice their size", after="theme"),
    Act("smaller_text", "Smaller text", "View", lambda w: w.change_text_size(-1), "Ctrl+-", "fa6s.magnifying-glass-minus", "Show all texts smaller", after="larger_text"),
    Act("normal_text", "Normal text size", "View", lambda w: w.change_text_size(0), "Ctrl+Alt+0", "fa6s.font", "Show all texts in the size they were designed in", after="smaller_text"),
    Act("reset_workspace", "Reset this workspace", "View", lambda w: w.features.area.reset(), "", "fa6s.table-columns", "Put all panels back where they were", after="normal_text"),
    Act("find_action", "Search or run an action…", "Help", lambda w: w.find_action(), "Ctrl+Shift+P", "fa6s.magnifying-glass", "Find any action by its name"),
    Act("about", "About nnviz", "Help", lambda w: w.about(), "", "fa6s.circle-info", "Version, and what the numbers are checked against"),
)
"""What the window offers by itself."""
OFFERED = {
    "files": file_actions.ACTIONS,
    "step": step_actions.ACTIONS,
    "window": WINDOW,
    "network": network_actions.ACTIONS,
    "data": data_actions.ACTIONS,
    "weights": weight_actions.ACTIONS,
    "run": run_actions.ACTIONS,
    "comparison": comparison_actions.ACTIONS,
    "sweep": sweep_actions.ACTIONS,
    "doctor": doctor_actions.ACTIONS,
    "checking": checking_actions.ACTIONS,
    "graph": graph_actions.ACTIONS,
    "learn": learn_actions.ACTIONS,
    "teach": teach_actions.ACTIONS,
}
"""Who offers what, in the order in which it comes into the menus."""
RUNNING = {"train": ("pause", "fa6s.pause"), "play": ("stop", "fa6s.stop")}
"""Actions on filled buttons, and what they say and show while what they have started runs."""
MENUS = ("File", "Edit", "Run", "Step", "View", "Learn", "Help")

Feature = Callable[[str], object]
"""Returns who offers rows, by name."""


class ActionTable(dict[str, QAction]):
    """A QAction for every row, by its id, in the order of the menus; their keys work everywhere in the window.

    Icons are blank until `set_icons` is called.
    """

    def __init__(self, window: QMainWindow, offered: Mapping[str, Sequence[Act]], feature: Feature) -> None:
        """`feature` is asked when an action is called."""
        super().__init__()
        self._owners = {act.id: name for name, acts in offered.items() for act in acts}
        self.acts = {act.id: act for act in in_menu_order([act for acts in offered.values() for act in acts])}
        self._icons: dict[str, str] = {}
        self._has_icons = False
        for act in self.acts.values():
            self[act.id] = self._made(act, window, feature)

    def _made(self, act: Act, window: QMainWindow, feature: Feature) -> QAction:
        blank = QPixmap(64, 64)
        blank.fill(Qt.GlobalColor.transparent)
        action = QAction(act.text, window)
        action.setIconText(act.short or act.text)
        action.setIcon(QIcon(blank) if act.icon else QIcon())
        action.setShortcuts(QKeySequence.listFromString(act.keys))
        action.setToolTip(_tip(act))
        action.triggered.connect(lambda _=False: act.call(feature(self._owners[act.id])))
        window.addAction(action)
        return action

    def fill(self, menu: QMenu) -> dict[str, QMenu]:
        """Give the menu one submenu for each word of MENUS under which anything is offered, and return them."""
        if "gallery" in self:
            menu.addAction(self["gallery"])
            menu.addSeparator()
        offered = {act.menu for act in self.acts.values()}
        submenus = {name: menu.addMenu(name) for name in MENUS if name in offered}
        for act in self.acts.values():
            submenus[act.menu].addAction(self[act.id])
        return submenus

    def set_icons(self) -> None:
        """Draw all icons in the theme's text colour, and for filled buttons, as what is on, in the panel colour."""
        self._has_icons = True
        for act in self.acts.values():
            if act.icon:
                self._draw_icon(act.id)

    def show_running(self, id: str, running: bool) -> None:
        """Let an action that starts something say that it ends it, while it runs."""
        act = self.acts[id]
        text, self._icons[id] = RUNNING[id] if running else (act.short, act.icon)
        self[id].setIconText(text)
        if self._has_icons:
            self._draw_icon(id)

    def _draw_icon(self, id: str) -> None:
        import qtawesome  # here, because its fonts take as long to load as the whole window to paint

        theme, icon = current_theme(), self._icons.get(id, self.acts[id].icon)
        self[id].setIcon(qtawesome.icon(icon, color=theme.text, color_selected=theme.text, color_disabled=theme.faint, color_on=theme.panel))

    def update_enabled(self, feature: Feature) -> None:
        """Let every action say whether it can be called now."""
        for act in self.acts.values():
            owner = feature(self._owners[act.id])
            self[act.id].setEnabled(act.enabled(owner))
            self[act.id].setToolTip("\n".join(filter(None, (_tip(act), why_not(act, owner)))))


def _tip(act: Act) -> str:
    return f"{act.tip} ({act.keys.replace('; ', ' or ')})" if act.keys else act.tip


def in_menu_order(acts: Sequence[Act]) -> list[Act]:
    """Return the rows menu by menu, in the order in which they are offered, those that stand `after` another one behind it."""
    ordered = sorted((act for act in acts if not act.after), key=lambda act: MENUS.index(act.menu))
    for act in acts:
        if act.after:
            ids = [other.id for other in ordered]
            ordered.insert(ids.index(act.after) + 1 if act.after in ids else len(ids), act)
    return ordered
