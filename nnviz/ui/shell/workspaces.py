"""The workspaces: which panels stand where, over one document. A panel is one widget that moves between them, or to a window of its own.

The trees in layouts.py are data; `WorkspaceArea` turns the present one into splitters. Nothing here knows what a panel shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QRubberBand, QScrollArea, QSplitter, QVBoxLayout, QWidget

from nnviz.ui.shell._panel_window import PanelWindow
from nnviz.ui.shell.layouts import HIDDEN, WORKSPACES, Split
from nnviz.ui.theme.colors import GUTTER


def _arranged(tree: Split, order: object) -> Split:
    """The tree with its panels in this order, as swaps left them; the tree itself where the order names other panels."""
    if not isinstance(order, list) or sorted(map(str, order)) != sorted(tree.panels()):
        return tree
    for place, name in enumerate(order):
        if (present := tree.panels()[place]) != name:
            tree = tree.swapped(present, name)
    return tree


def _known(places: object, name: str) -> set[str]:
    """The panels a workspace had when the state was saved."""
    order = places.get(name) if isinstance(places, dict) else None
    return set(map(str, order)) if isinstance(order, list) else set()


class _Room(QScrollArea):
    """Where the splitters stand; it is scrolled where they need more room than there is, as in a low window with large texts."""

    laid_out = Signal()

    def __init__(self) -> None:
        super().__init__(widgetResizable=True, frameShape=QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    # --- Qt ---

    def viewportEvent(self, event: QEvent) -> bool:
        handled = super().viewportEvent(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self.laid_out.emit()
        return handled


class WorkspaceArea(QWidget):
    """Shows the panels of one workspace in splitters; each workspace keeps its own proportions, hidden panels and swaps.

    Proportions are those that were designed or that a person gave by hand: what a small window makes of them is not kept.
    """

    workspace_changed = Signal(str)

    def __init__(self, panels: dict[str, QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels = panels
        self._trees = dict(WORKSPACES)
        self._hidden: dict[str, set[str]] = {name: set(HIDDEN.get(name, ())) for name in WORKSPACES}
        self._sizes: dict[str, list[list[int]]] = {}
        """The proportions of every splitter, from the outermost inwards."""
        self._splitters: list[QSplitter] = []
        """Those of what is shown, from the outermost inwards."""
        self._made: dict[Split, list[QSplitter]] = {}
        """Those of every tree that was shown: a panel that changes its place is styled anew, so that it only does where it must."""
        self.windows: dict[str, PanelWindow] = {}
        """The panels that stand in windows of their own, in every workspace."""
        self._stand_ins: dict[str, QWidget] = {}
        """What stands in their places, out of sight."""
        self._window_places: dict[str, str] = {}
        """Where the windows of panels stood last."""
        self._target = QRubberBand(QRubberBand.Shape.Rectangle, self)
        self.name = ""
        self.enlarged = ""
        """The panel that has the whole area for itself; empty for none."""
        self._presented: Callable[[], Split] | None = None
        """Returns what is shown in the place of the workspace, while that is so."""
        self._shown: Split | None = None
        """What the splitters stand for."""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GUTTER, GUTTER, GUTTER, 0)
        self._room, self._inside = _Room(), QWidget()
        QVBoxLayout(self._inside).setContentsMargins(0, 0, 0, 0)
        self._room.setWidget(self._inside)
        self._room.laid_out.connect(self._apply_sizes)
        layout.addWidget(self._room)
        for panel in panels.values():
            panel.setParent(self)
            panel.hide()

    def show_workspace(self, name: str) -> None:
        """Bring up this workspace. Raises KeyError for an unknown name."""
        tree = self._trees[name]
        self.name, self.enlarged = name, ""
        self._rebuild(tree)
        self.workspace_changed.emit(name)

    def visible_panels(self) -> tuple[str, ...]:
        """Return the names of the panels that can be seen now, those in windows of their own at last."""
        alone = self._alone()
        return (*(alone.panels() if alone else self.shown_panels()), *self.windows)

    def shown_panels(self) -> tuple[str, ...]:
        """Return the names of the panels of the present workspace that are neither hidden nor in a window of their own."""
        return tuple(panel for panel in self._trees[self.name].panels() if not self._is_away(panel))

    def panels(self) -> tuple[str, ...]:
        """Return the names of all panels of the present workspace, hidden ones too."""
        return self._trees[self.name].panels()

    def set_panel_visible(self, panel: str, visible: bool) -> None:
        """Hide a panel of the present workspace, or bring it back where it was."""
        self._hidden[self.name].difference_update({panel}) if visible else self._hidden[self.name].add(panel)
        if self._take_in(panel) or self._alone():
            self.enlarged = ""
            self._rebuild(self._trees[self.name])
        self._panels[panel].setVisible(visible)
        self._apply_sizes()
        self.workspace_changed.emit(self.name)

    def show_only(self, panels: Collection[str]) -> None:
        """Show these panels of the present workspace, and hide its others."""
        self._hidden[self.name] = set(self.panels()) - set(panels)
        self.enlarged = ""
        self._rebuild(self._trees[self.name])
        self.workspace_changed.emit(self.name)

    def enlarge(self, panel: str) -> None:
        """Give a panel of the present workspace the whole area, or all of them their places again where it has that already.

        One in a window of its own is given the screen.
        """
        if panel in self.windows:
            self.windows[panel].toggle_maximized()
            return
        self.enlarged = "" if self.enlarged else panel
        self._rebuild(self._trees[self.name])
        self.workspace_changed.emit(self.name)

    def present(self, presented: Callable[[], Split] | None) -> None:
        """Show what `presented` returns in the place of the workspace, asked anew whenever panels change; None: the workspace again."""
        self._presented = presented
        self._rebuild(self._trees[self.name])
        self.workspace_changed.emit(self.name)

    def leave_enlarged(self) -> bool:
        """Give all panels their places again, or the window that has the keyboard its size; return whether one was enlarged."""
        active = self.active_panel()
        if active and self.windows[active].isMaximized():
            self.windows[active].toggle_maximized()
            return True
        was_enlarged = bool(self.enlarged)
        if was_enlarged:
            self.enlarge(self.enlarged)
        return was_enlarged

    def active_panel(self) -> str:
        """Return the panel whose own window has the keyboard; empty for none."""
        return next((panel for panel, window in self.windows.items() if window.isActiveWindow()), "")

    def pop_out(self, panel: str, at: QPoint | None = None) -> None:
        """Give a panel a window of its own: where that stood last, or `at` this place of the screen; bring it up where it has one."""
        if panel not in self.windows:
            self._open_window(panel)
            self.enlarged = "" if self.enlarged == panel else self.enlarged
            self._rebuild(self._trees[self.name])
            self.workspace_changed.emit(self.name)
        if at is not None:
            self.windows[panel].move(at)
        self.windows[panel].activateWindow()

    def put_back(self, panel: str) -> None:
        """Put a panel back from its own window to where it was."""
        if self._take_in(panel):
            self._rebuild(self._trees[self.name])
            self.workspace_changed.emit(self.name)
            self.activateWindow()

    def hide_windows(self) -> None:
        """Let no panel be seen in a window of its own any more: the main window is leaving, and takes them with it."""
        for window in self.windows.values():
            window.hide()

    def swap_panels(self, first: str, second: str) -> None:
        """Let two panels of the present workspace change places."""
        self._trees[self.name] = self._trees[self.name].swapped(first, second)
        self._rebuild(self._trees[self.name])
        self.workspace_changed.emit(self.name)

    def reset(self) -> None:
        """Put the present workspace back to how it was designed, with its panels in it."""
        for panel in self.panels():
            self._take_in(panel)
        self._trees[self.name] = WORKSPACES[self.name]
        self._hidden[self.name] = set(HIDDEN.get(self.name, ()))
        self._sizes.pop(self.name, None)
        self.enlarged = ""
        self._rebuild(self._trees[self.name])
        self.workspace_changed.emit(self.name)

    def save_state(self) -> str:
        """Return sizes, hidden panels and places of all workspaces, and the panels in windows of their own, as JSON text."""
        hidden = {name: sorted(hidden) for name, hidden in self._hidden.items()}
        places = {name: tree.panels() for name, tree in self._trees.items()}
        windows = self._window_places | {panel: window.place() for panel, window in self.windows.items()}
        return json.dumps({"sizes": self._sizes, "hidden": hidden, "places": places, "windows": windows, "out": list(self.windows)})

    def restore_state(self, text: str, with_windows: bool = True) -> None:
        """Take up what save_state returned, with the panels that had windows of their own or without; text that does not fit is ignored."""
        try:
            state = json.loads(text)
            hidden = {name: set(state["hidden"].get(name, ())) & set(tree.panels()) for name, tree in WORKSPACES.items()}
            sizes = {name: [[int(size) for size in part] for part in state["sizes"][name]] for name in state["sizes"] if name in WORKSPACES}
        except (ValueError, KeyError, TypeError, AttributeError):
            return
        places = state.get("places")
        if isinstance(places, dict):
            self._trees |= {name: _arranged(tree, places.get(name)) for name, tree in WORKSPACES.items()}
        unknown = {name: HIDDEN.get(name, set()) - _known(places, name) for name in WORKSPACES}
        self._hidden, self._sizes = {name: hidden[name] | unknown[name] for name in WORKSPACES}, sizes
        windows, out = state.get("windows"), state.get("out")
        if isinstance(windows, dict):
            self._window_places = {panel: str(place) for panel, place in windows.items() if panel in self._panels}
        for panel in out if isinstance(out, list) and with_windows else ():
            if panel in self._window_places and panel not in self.windows:
                self._open_window(panel, is_quiet=True)

    # --- dragging a panel by its title ---

    def show_target(self, panel: str, at: QPoint) -> None:
        """Mark the panel with which this one would change places if it were dropped at this place of the screen."""
        target = self._panel_at(at)
        if target and target != panel:
            self._target.setGeometry(self._room_of(target))
            self._target.raise_()
        self._target.setVisible(bool(target) and target != panel)

    def drop(self, panel: str, at: QPoint) -> None:
        """Let a panel change places with the one it was dropped on; outside of the main window it gets a window of its own."""
        self._target.hide()
        target, is_inside = self._panel_at(at), self.window().frameGeometry().contains(at)
        if panel in self.windows:
            if is_inside and not self.windows[panel].frameGeometry().contains(at):
                self.put_back(panel)
        elif target and target != panel:
            self.swap_panels(panel, target)
        elif not is_inside:
            self.pop_out(panel, at)

    def _panel_at(self, at: QPoint) -> str:
        place = self.mapFromGlobal(at)
        return next((panel for panel in self.shown_panels() if not self.enlarged and self._room_of(panel).contains(place)), "")

    def _room_of(self, panel: str) -> QRect:
        widget = self._panels[panel]
        return QRect(widget.mapTo(self, QPoint(0, 0)), widget.size())

    # --- inside ---

    def _is_away(self, panel: str) -> bool:
        return panel in self._hidden[self.name] or panel in self.windows

    def _alone(self) -> Split | None:
        """What is shown in the place of the workspace; None where the workspace is."""
        if self.enlarged:
            return Split("row", ((1, self.enlarged),))
        return self._presented() if self._presented else None

    def _open_window(self, panel: str, is_quiet: bool = False) -> None:
        """Let a panel stand in a window of its own, which takes the keyboard or not."""
        self._stand_ins[panel] = QWidget(self, visible=False)
        window = self.windows[panel] = PanelWindow(self._panels[panel], self.window())
        if panel in self._window_places:
            window.take_place(self._window_places[panel])
        window.left.connect(lambda: self.put_back(panel))
        window.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, is_quiet)
        window.show()

    def _take_in(self, panel: str) -> bool:
        """Take a panel out of its own window; return whether it was in one. Who calls this gives it a place."""
        window = self.windows.pop(panel, None)
        if window is not None:
            self._window_places[panel] = window.place()
            self._panels[panel].setParent(self)
            stand_in = self._stand_ins.pop(panel)
            stand_in.setParent(None)
            stand_in.deleteLater()
            window.hide()
            window.deleteLater()
        return window is not None

    def _rebuild(self, tree: Split) -> None:
        if self._splitters:
            self._splitters[0].hide()  # else panels would grow as those beside them leave
        shown = self._shown = self._alone() or tree
        if shown not in self._made:
            self._made[shown] = [self._splitter(part) for part in shown.splits()]
            self._inside.layout().addWidget(self._made[shown][0])
        self._splitters = self._made[shown]
        outermost, *inner = self._splitters
        self._fill(outermost, shown, iter(inner))
        outermost.resize(self._room.viewport().size().expandedTo(outermost.minimumSizeHint()))
        self._apply_sizes()  # while it is hidden: no panel is told of any size on the way
        outermost.show()
        self._apply_sizes()
        self._forget(shown)

    def _splitter(self, tree: Split) -> QSplitter:
        splitter = QSplitter(Qt.Orientation.Horizontal if tree.direction == "row" else Qt.Orientation.Vertical, self)
        splitter.setHandleWidth(GUTTER)
        splitter.setChildrenCollapsible(False)
        splitter.splitterMoved.connect(lambda: self._keep_sizes(splitter))
        splitter.hide()
        return splitter

    def _fill(self, splitter: QSplitter, tree: Split, inner: Iterator[QSplitter]) -> None:
        """Put in what is not there already; `inner` are the splitters within it and those that follow."""
        for index, (share, part) in enumerate(tree.parts):
            widget = next(inner) if isinstance(part, Split) else self._stand_ins.get(part, self._panels[part])
            if splitter.widget(index) is not widget:
                splitter.insertWidget(index, widget)
            splitter.setStretchFactor(index, share)
            if isinstance(part, Split):
                self._fill(widget, part, inner)
            else:
                widget.setVisible(part == self.enlarged or not self._is_away(part))

    def _forget(self, shown: Split) -> None:
        """Let go of the splitters of trees that no workspace has any more."""
        for tree in set(self._made) - {shown, *self._trees.values()}:
            outermost = self._made.pop(tree)[0]
            for panel in (panel for panel in (*self._panels.values(), *self._stand_ins.values()) if outermost.isAncestorOf(panel)):
                panel.setParent(self)
                panel.hide()
            self._inside.layout().removeWidget(outermost)
            outermost.setParent(None)
            outermost.deleteLater()

    def _proportions(self) -> list[list[int]]:
        """Those of every splitter, as they were given by hand or else designed."""
        if self._shown is not self._trees[self.name]:
            return _shares(self._shown)
        designed = _shares(self._trees[self.name])
        given = self._sizes.get(self.name, [])
        fits = [len(sizes) for sizes in given] == [len(sizes) for sizes in designed] and all(sum(sizes) > 0 for sizes in given)
        return [list(sizes) for sizes in (given if fits else designed)]

    def _apply_sizes(self) -> None:
        """Divide the room as the proportions say; Qt would keep what is left of them after the window was small."""
        if self.name:
            for splitter in self._splitters[:0:-1]:  # from the innermost outwards: without a panel to be seen it takes no room
                splitter.setVisible(any(not splitter.widget(place).isHidden() for place in range(splitter.count())))
            for splitter, sizes in zip(self._splitters, self._proportions(), strict=True):
                splitter.setSizes(sizes)

    def _keep_sizes(self, moved: QSplitter) -> None:
        """Take over the proportions a person gave; a hidden panel keeps its share for when it comes back."""
        if self._shown is not self._trees[self.name]:
            return
        all_sizes, place = self._proportions(), self._splitters.index(moved)
        shown = [not moved.widget(index).isHidden() for index in range(moved.count())]
        known = sum(share for share, is_shown in zip(all_sizes[place], shown, strict=True) if is_shown)
        scale = known / max(1, sum(moved.sizes()))
        pairs = zip(all_sizes[place], moved.sizes(), shown, strict=True)
        all_sizes[place] = [max(1, round(size * scale)) if is_shown else share for share, size, is_shown in pairs]
        self._sizes[self.name] = all_sizes

    # --- Qt ---

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.layout().activate()
        self._apply_sizes()


def _shares(tree: Split) -> list[list[int]]:
    """The designed shares of a split and of all within it, from the outermost inwards."""
    return [[share for share, _ in split.parts] for split in tree.splits()]
