"""Going about in the run: the bar with its branches, what its menu offers, and the flags that stand on every time axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from operator import is_

import msgspec
from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtWidgets import QMenu

from nnviz.document.run_branches import COLORS, free_name
from nnviz.session.branches import KeptBranch
from nnviz.session.run import RunState
from nnviz.session.session import Session
from nnviz.ui.run._run_bar import RunBar
from nnviz.ui.run._seek import Seeker
from nnviz.ui.run.run_tree import Flag, RunTree, SelfStop, grown
from nnviz.ui.shell_api import Shell
from nnviz.ui.widgets.branch_dot import branch_dot

_STOPS = {"non_finite": "training stopped at what is not finite", "early_stopping": "early stopping", "breakpoint": "a breakpoint held"}
"""Why training stops by itself, in words."""
_MOST_STOPS = 200
_NOTE = "branch"


class RunNavigation(QObject):
    """`tree` is what the bar shows. It is grown anew only when a branch, or the history of the run, is another."""

    def __init__(self, session: Session, shell: Shell, tree_changed: Callable[[RunTree], object] = lambda tree: None) -> None:
        """`tree_changed` is called with every other tree."""
        self.bar = RunBar()
        super().__init__(self.bar)
        self._session, self._shell, self._tree_changed = session, shell, tree_changed
        self.tree = RunTree()
        self._stops: tuple[SelfStop, ...] = ()
        self._grown_of: tuple = ()
        self.seeker = Seeker(session, self)
        self.seeker.changed.connect(self._show_wanted)
        self.bar.place_requested.connect(self.seeker.want)
        self.bar.branch_requested.connect(self.go_to_end)
        self.bar.menu_requested.connect(self._open_menu)
        self.bar.renamed.connect(session.branches.rename)
        session.branches.changed.connect(self._grow)
        session.document_replaced.connect(self._begin)

    # --- what is shown ---

    def show_run(self, new: RunState, old: RunState | None = None) -> None:
        """Show where the run stands now."""
        if old is not None and old.training and not new.training and new.stopped in _STOPS and self._session.link.log is not None:
            said = new.message or _STOPS[new.stopped]
            stop = SelfStop(Flag(new.iteration, f"iteration {new.iteration:,}: {said}"), self._session.link.log)
            self._stops = (*self._stops, stop)[-_MOST_STOPS:]
        self._grow()
        self.bar.set_run(new, self._session.training.obstacle)

    def go_to(self, iteration: int) -> None:
        """Let the present run stand there."""
        if present := self._session.branches.present:
            self.seeker.want(present.name, iteration)

    def go_to_end(self, name: str) -> None:
        """Let the run stand where a branch ended."""
        branch = next((branch for branch in self._session.branches.all if branch.name == name), None)
        if branch is not None:
            self.seeker.want(name, branch.reached)

    def show_obstacle(self) -> None:
        """Whether anything can be trained may be another matter now."""
        self.bar.set_run(self._session.run, self._session.training.obstacle)

    def _grow(self) -> None:
        branches, link, present = self._session.branches, self._session.link, self._session.branches.present
        of = (branches.kept, link.log, self._stops, present and present.name, present and present.color)
        if len(self._grown_of) == len(of) and all(map(is_, self._grown_of, of)):
            return
        self._grown_of = of
        self.tree = grown(present, branches.kept, link.run.iteration, self._stops)
        self.bar.set_tree(self.tree)
        self._tree_changed(self.tree)

    def _begin(self) -> None:
        """Another document is open."""
        self._stops = ()
        self._shell.notes.drop(_NOTE)
        self._grow()

    def _show_wanted(self) -> None:
        wanted, present = self.seeker.wanted, self._session.branches.present
        self.bar.set_wanted(wanted[1] if wanted and present and wanted[0] == present.name else None)

    # --- what a person does ---

    def stop(self) -> None:
        """Let the run stay where it is now, on the way to another place."""
        self.seeker.forget()
        self._session.training.pause()

    def ask_branch(self) -> None:
        """Offer all other branches, to go to the end of one."""
        self._popup(self._branch_menu("Go to", self.go_to_end))

    def ask_forget(self) -> None:
        """Offer all other branches, to forget one."""
        self._popup(self._branch_menu("Forget", self.forget))

    def rename_present(self) -> None:
        """Let another name be typed for the present branch."""
        if present := self._session.branches.present:
            self.ask_name(present.name)

    def ask_name(self, name: str) -> None:
        """Let another name be typed for a branch."""
        self.bar.show()
        self.bar.open_field(name)

    def forget(self, name: str) -> None:
        """Forget a branch, and offer to have it back."""
        kept = next((one for one in self._session.branches.kept if one.branch.name == name), None)
        if kept is None:
            return
        self._session.branches.remove(name)
        text = f"{name} is forgotten: {kept.branch.reached:,} iterations."
        self._shell.notes.post(_NOTE, "info", text, [("Undo", lambda: self._have_back(kept))])

    def _have_back(self, kept: KeptBranch) -> None:
        """The branch is back, under another name if that is taken now."""
        branches, present = self._session.branches, self._session.branches.present
        names = {branch.name for branch in branches.all}
        if kept.branch.name in names:
            kept = replace(kept, branch=msgspec.structs.replace(kept.branch, name=free_name(names)))
        if present is not None:
            branches.set_kept((*branches.kept, kept), present.name, present.color, present.note)

    def ask_color(self) -> None:
        """Offer the colours, to give the present branch another one."""
        if present := self._session.branches.present:
            menu = QMenu(self.bar)
            self._add_colors(menu, present.name)
            self._popup(menu)

    def _add_colors(self, menu: QMenu, name: str) -> None:
        """One entry for each colour; with the name of the branch that has it now, which gets the other one."""
        owners = {branch.color: branch.name for branch in self._session.branches.all}
        for place in range(COLORS):
            text = owners.get(place, f"colour {place + 1}")
            menu.addAction(branch_dot(place), text, lambda place=place: self._session.branches.recolor(name, place))

    def _branch_menu(self, word: str, call: Callable[[str], object]) -> QMenu:
        menu = QMenu(self.bar)
        for line in self.tree.lines:
            if not line.is_present:
                text = f"{word} {line.name}  ({line.branch.reached:,} iterations)"
                menu.addAction(branch_dot(line.branch.color), text, lambda name=line.name: call(name))
        return menu

    def _open_menu(self, name: str, at: QPoint) -> None:
        line = next(line for line in self.tree.lines if line.name == name)
        menu, actions = QMenu(self.bar), self._shell.action_table
        if not line.is_present:
            menu.addAction(branch_dot(line.branch.color), f"Go to {name}", lambda: self.go_to_end(name))
        menu.addAction(f"Rename {name}…", lambda: self.bar.open_field(name))
        self._add_colors(menu.addMenu("Colour"), name)
        if not line.is_present:
            menu.addAction(f"Forget {name}", lambda: self.forget(name))
        menu.addSeparator()
        for id in ("go_to", "rewind", "ghosts", "run_bar"):
            menu.addAction(actions[id])
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(at)

    def _popup(self, menu: QMenu) -> None:
        """Open a menu in the middle of the window, with its first entry marked."""
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window = self._shell.window()
        menu.popup(window.mapToGlobal(window.rect().center()) - menu.sizeHint().width() * QPoint(1, 0) / 2)
        if menu.actions():
            menu.setActiveAction(menu.actions()[0])
