"""Comparing runs: the sheet that starts several of them, the table of all branches, and where two of them differ first."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from nnviz.document.run_log import with_looks_of
from nnviz.session.comparison import Search
from nnviz.session.session import Session
from nnviz.text import divergence_text
from nnviz.ui.comparison._comparison_sheet import ComparisonSheet
from nnviz.ui.comparison._runs_panel import RunsPanel
from nnviz.ui.comparison.run_rows import RunRow, kept_row, present_row
from nnviz.ui.shell_api import Shell
from nnviz.ui.widgets.card import Card
from nnviz.ui.widgets.header_button import ActionButton

_PANEL = "runs"
_REST = 200
"""Milliseconds between two times at which the table is filled while a run goes on."""


class ComparisonFeature(QObject):
    """Other features hear of `highlighted`, `renaming_requested` and `forgetting_requested`."""

    highlighted = Signal(str)
    """The branch whose curve shall stand out; empty for none."""
    renaming_requested = Signal(str)
    forgetting_requested = Signal(str)

    def __init__(self, session: Session, shell: Shell) -> None:
        self.panel = RunsPanel()
        super().__init__(self.panel)
        self.session, self._shell = session, shell
        table = shell.action_table
        tools = (ActionButton(table["compare_runs"], "compare…"), ActionButton(table["cancel_comparison"], "cancel"))
        self.cards = {_PANEL: Card("Runs", self.panel, tools)}
        self._rows: dict[int, tuple[tuple, RunRow]] = {}
        self._filling = QTimer(self, singleShot=True, interval=_REST)
        self._filling.timeout.connect(self._fill)
        self.panel.highlighted.connect(self.highlighted)
        self.panel.renaming_requested.connect(self.renaming_requested)
        self.panel.forgetting_requested.connect(self.forgetting_requested)
        self.panel.branch_requested.connect(session.branches.go_to)
        self.panel.settings_requested.connect(self._take_settings)
        self.panel.divergence_requested.connect(session.comparison.find_divergence)
        self.panel.place_requested.connect(session.comparison.go_to_divergence)
        self.panel.line_closed.connect(session.comparison.leave_search)
        for changed in (session.branches.changed, session.run_changed, session.experiment_changed):
            changed.connect(self._wait)
        session.comparison.changed.connect(self._show_progress)

    # --- what is shown ---

    def _wait(self) -> None:
        if not self._filling.isActive():
            self._filling.start()

    def show_panel(self) -> None:
        """The panel has come into sight: fill it at once."""
        if self._shell.is_visible(_PANEL):
            self._fill()

    def _fill(self) -> None:
        """Fill the table, if anybody can see it."""
        if not self._shell.is_visible(_PANEL):
            return
        branches, experiment, present = self.session.branches, self.session.experiment, self.session.branches.present
        known, self._rows = self._rows, {}
        for kept in branches.kept:
            of = (kept, experiment, self.session.comparison.is_growing(kept))
            old = known.get(id(kept))
            row = old[1] if old and all(map(_is_same, old[0], of)) else kept_row(*of)
            self._rows[id(kept)] = (of, row)
        first = [present_row(present, self.session.run, experiment)] if present else []
        self.panel.set_rows([*first, *(row for _, row in self._rows.values())])

    def _show_progress(self) -> None:
        comparison = self.session.comparison
        progress = comparison.progress
        self.cards[_PANEL].set_subtitle("" if progress is None else f"training · {_share(progress.done, progress.total)}")
        self.panel.say(*_told(comparison.search, self.session))
        QTimer.singleShot(0, self.panel, self._shell.update_actions)  # others may still have to hear of the document
        self._wait() if comparison.is_going else self._fill()

    # --- what a person does ---

    def ask(self) -> None:
        """Ask which runs are to be compared."""
        comparison = self.session.comparison
        sheet = ComparisonSheet(self.session.experiment, self.session.run.iteration, comparison.logs, self._shell.window())
        sheet.chosen.connect(self._start)
        sheet.open_over(self._shell.window())

    def _start(self, runs: tuple, iterations: int, from_here: bool) -> None:
        if self.session.comparison.start(runs, iterations, from_here) and not self._shell.is_visible(_PANEL):
            self._shell.toggle_panel(_PANEL)
        self.show_panel()

    def _take_settings(self, name: str) -> None:
        """Let the present run go on with what a branch has otherwise, as one change that can be undone."""
        found = next((one.branch.log.last for one in self.session.branches.kept if one.branch.name == name), None)
        if found is not None:
            self.session.edit(f"Settings of {name}", lambda experiment: with_looks_of(found, experiment))


def _is_same(one: object, other: object) -> bool:
    return one is other


def _share(done: int, total: int) -> str:
    return f"{done / max(1, total):.0%}".replace("%", " %")


def _told(search: Search | None, session: Session) -> tuple[str, bool]:
    """What is said of the search, and whether there is a place to go to."""
    if search is None:
        return "", False
    one, other = search.present.name, search.branch.name
    if search.result is None:
        share = _share(search.progress.done, search.progress.total) if search.progress else ""
        return f"Where do {one} and {other} differ first? {share} …", False
    if search.found is None:
        return f"{one} and {other} have the same bits in all of {search.result.compared:,} iterations.", False
    titles = session.experiment.network.titles, search.branch.log.last.network.titles
    place, details = (told(search.found, titles) for told in (divergence_text.heading, divergence_text.details))
    return f"{one} (the first run) and {other} (the second) differ first: {place}. {details}", True
