"""The doctor in the window: a quiet line in every workspace, a panel, a section of the node's card, marks on layers, the bounds."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from nnviz.document.finding_kinds import switched_off
from nnviz.document.problems import Fix
from nnviz.records.finding import Finding
from nnviz.records.finding_places import iteration_of
from nnviz.session.session import Session
from nnviz.session.trials import KnownTrial
from nnviz.text import finding_text
from nnviz.ui.doctor._bounds_sheet import BoundsSheet
from nnviz.ui.doctor._finding_list import Entry, FindingList
from nnviz.ui.doctor._health_line import HealthLine
from nnviz.ui.doctor.finding_box import OfferedCure
from nnviz.ui.shell_api import Shell
from nnviz.ui.theme.colors import GRID
from nnviz.ui.theme.fonts import tip_of
from nnviz.ui.widgets.boxes import scrolling, stacked
from nnviz.ui.widgets.card import Card
from nnviz.ui.widgets.header_button import ActionButton
from nnviz.ui.widgets.sections import DividingLine, Heading

_PANEL = "doctor"
_NOT_YET, _NOT_LOOKED_FOR = "not judged yet", "gradients and learning rate are not looked for"
_REST = 200
"""Milliseconds between two times at which the progress of a trial is shown."""
_TONES = {"helps": "forward", "gone": "text", "no help": "muted", "worse": "loss"}
"""The colours of what a trial has shown."""


class DoctorFeature(QObject):
    """`line` stands in the window, `section` on the card of a node; `marks` says what is to be said of each layer."""

    def __init__(self, session: Session, shell: Shell) -> None:
        super().__init__(shell.window())
        self.session, self._shell = session, shell
        self.line = HealthLine(shell.action_table["doctor"])
        self.list, self.brief = FindingList(), FindingList(is_brief=True)
        self.section: QWidget = stacked(DividingLine(), Heading("Doctor", "muted"), self.brief, spacing=GRID)
        self.list.setAccessibleName("What the doctor found")
        tools = [ActionButton(shell.action_table["doctor_bounds"], "bounds…")]
        self.cards = {_PANEL: Card("Doctor", scrolling(self.list), tools)}
        self.bounds: BoundsSheet | None = None
        self._cover = ""
        """What is said in place of what was found; empty where that is shown."""
        self._entries: list[Entry] = []
        self._over: list[KnownTrial] = []
        """The trials that were over when that was said last."""
        self._filling = QTimer(self, singleShot=True, interval=_REST)
        self._filling.timeout.connect(self._show_progress)
        self._connect()

    def _connect(self) -> None:
        session = self.session
        self.line.clicked.connect(self.show_first)
        for shown in (self.list, self.brief):
            shown.show_requested.connect(self.show)
            shown.apply_requested.connect(session.doctor.apply)
            shown.try_requested.connect(self._try)
            shown.branch_requested.connect(session.branches.go_to)
        self.list.add_questions([(one.key, one.label, one.explanation) for one in session.trials.questions])
        self.list.answer_requested.connect(self._ask)
        session.trials.changed.connect(self._tell_verdict)
        for changed in (session.trials.changed, session.comparison.changed, session.branches.changed):
            changed.connect(self._wait)

    # --- what is shown ---

    @property
    def marks(self) -> dict[str, tuple[str, ...]]:
        """Of every layer the causes of what is found in it where the run stands; none while they are covered."""
        marks: dict[str, tuple[str, ...]] = {}
        for finding in () if self._cover else self.session.doctor.present:
            if finding.layer:
                marks[finding.layer] = (*marks.get(finding.layer, ()), finding.cause)
        return marks

    def show_findings(self) -> None:
        """Show what the doctor says now."""
        self._show_line()
        if self.session.run.training:
            self._wait()  # what is judged comes often then, and cures take a while to be found
        else:
            self._fill()

    def _show_progress(self) -> None:
        """Show all boxes anew, if anybody can see them; once the run stands in any case."""
        if not self.session.run.training or self.section.isVisible() or self._shell.is_visible(_PANEL):
            self._fill()

    def _fill(self) -> None:
        """Show all boxes anew."""
        doctor = self.session.doctor
        self._filling.stop()
        if not doctor.is_past or not doctor.latest:  # what is past stays as it was last shown
            self._entries = [self._entry(finding) for finding in doctor.latest]
        self.list.show_all(self._entries, self._health(), self._can_try, doctor.is_past)
        self.list.show_tried(self._tried())
        answers = {key: f"{text} (asked at iteration {at:,})" for key, (at, text) in self.session.trials.answers.items()}
        self.list.show_answers(answers, self._can_try and self.session.run.iteration > 0)
        self.cards[_PANEL].set_subtitle("" if doctor.is_past else f"iteration {doctor.iteration:,}")
        self.show_section()

    def show_panel(self) -> None:
        """The panel has come into sight, or gone: what stands on it need not stand on the card, too."""
        self.section.setHidden(bool(self._cover) or self._shell.is_visible(_PANEL))
        self._show_progress()

    def cover(self, text: str) -> None:
        """Say this in place of what was found, on the line; on the card and on layers show nothing of it. Empty: show it again."""
        if text != self._cover:
            self._cover = text
            self._show_line()
            self.show_panel()

    def show_section(self) -> None:
        """Show on the card what is found in the layer of its node, else what was found first."""
        doctor, layer = self.session.doctor, self._layer
        of_layer = [entry for entry in self._entries if layer and entry.finding.layer == layer]
        self.brief.show_all(of_layer or self._entries[:1], self._health(), self._can_try, doctor.is_past)

    def show_experiment(self) -> None:
        """The document has become another: its layers may be called otherwise, and its bounds be others."""
        self._show_line()
        if self.bounds is not None:
            self.bounds.set_bounds(self.session.experiment.doctor)

    @property
    def _layer(self) -> str:
        """The layer of the node on the card; empty for none."""
        stepping = self.session.stepping
        group = stepping.index.node(stepping.node_at_hand).group if stepping.node_at_hand is not None else ()
        return group[0] if group else ""

    @property
    def _can_try(self) -> bool:
        return self.session.training.can_train and not self.session.comparison.is_going

    def _entry(self, finding: Finding) -> Entry:
        trials = self.session.trials
        return Entry(finding, tuple(self._offered(fix, trials.of(finding, fix)) for fix in trials.cures(finding)))

    def _offered(self, fix: Fix, known: KnownTrial | None) -> OfferedCure:
        """A cure with what its trial has shown, or how far that is."""
        if known is None:
            return OfferedCure(fix)
        if known.verdict is None:
            progress = self.session.comparison.progress if self.session.trials.is_going else None
            share = f"{progress.done / max(1, progress.total):.0%}".replace("%", " %") if progress else ""
            return OfferedCure(fix, f"being tried … {share}" if self.session.trials.is_going else "its trial came to no end")
        is_there = any(kept.branch.name == known.branch for kept in self.session.branches.kept)
        return OfferedCure(fix, known.verdict.sentence, _TONES[known.verdict.outcome], known.branch if is_there else "")

    def _tried(self) -> list[OfferedCure]:
        """What came of trials that no box tells of."""
        shown = {(entry.finding.kind, one.fix) for entry in self._entries for one in entry.offered if one.verdict}
        latest = {(one.trial.finding.kind, one.trial.fix): one for one in self.session.trials.known if one.verdict}
        known = {one.branch for one in self.session.trials.known}
        noted = [kept.branch for kept in self.session.branches.kept if kept.branch.note and kept.branch.name not in known]
        return [
            *(self._offered(one.trial.fix, one) for key, one in latest.items() if key not in shown),
            *(OfferedCure(Fix(branch.name, ()), branch.note, branch=branch.name) for branch in noted),
        ]

    def _tell_verdict(self) -> None:
        """Say what trials have shown, where the panel cannot be seen that does."""
        before, self._over = self._over, [one for one in self.session.trials.known if one.verdict]
        news = [one.verdict for one in self._over if not any(one is other for other in before)]
        if news and not self._shell.is_visible(_PANEL):
            best = next((verdict for verdict in news if verdict.outcome == "helps"), news[0])
            more = f" And {len(news) - 1} more: see the panel of the doctor." if len(news) > 1 else ""
            self.session.post("info", best.sentence + more)

    def _wait(self) -> None:
        """A trial goes on, or branches have changed: show that, but not too often."""
        if not self._filling.isActive():
            self._filling.start()

    def _health(self) -> tuple[str, str]:
        """What is said to be healthy, and in which colour."""
        doctor = self.session.doctor
        words = ", ".join(finding_text.healthy(doctor.latest, doctor.judged, self._off))
        waited = _NOT_YET if finding_text.is_looked_for(self._off) else _NOT_LOOKED_FOR
        if doctor.is_past:
            return (f"healthy: {words}" if words else waited), "faint"
        if not finding_text.is_judged(doctor.judged):
            return waited + (f"; so far healthy: {words}" if words else ""), "muted"
        return (f"healthy: {words}" if words else ""), "forward"

    @property
    def _off(self) -> frozenset[str]:
        """The kinds that are not looked for."""
        return switched_off(self.session.experiment.doctor)

    def _show_line(self) -> None:
        doctor, (health, tone) = self.session.doctor, self._health()
        if self._cover:
            self.line.sentence.set_text(self._cover, "muted", "", leads=False)
            return
        first = next(iter(doctor.latest), None)
        if first is None:
            self.line.sentence.set_text(health, tone, self._tip(()), leads=False)
            return
        text = finding_text.first_line(doctor.latest, self.session.experiment.network.titles)
        tone = "faint" if doctor.is_past else "muted" if first.is_information else "clip"
        self.line.sentence.set_text(text, tone, self._tip(doctor.latest), leads=not doctor.is_past)

    def _tip(self, findings: Sequence[Finding]) -> str:
        """What is said of the line: all causes with their evidence, of which iteration that is, and what is waited for."""
        doctor = self.session.doctor
        when = f"After iteration {doctor.iteration:,}" if doctor.iteration else "Before any training"
        past = "The run has gone elsewhere, or is another now: it is judged anew." if doctor.is_past else ""
        wait = f"Gradients and learning rate are judged after about {finding_text.FIRST_JUDGED} iterations."
        waits = "" if finding_text.is_judged(doctor.judged) or not finding_text.is_looked_for(self._off) else wait
        return tip_of(*(f"{finding.cause} {finding.evidence}" for finding in findings), " ".join(filter(None, (f"{when}.", past, waits))))

    # --- what a person does ---

    def show_first(self) -> None:
        """Go to where the first of all is seen."""
        if self.session.doctor.present:
            self.show(self.session.doctor.present[0])

    def show(self, finding: Finding) -> None:
        """Go to the node and the iteration where it is seen."""
        stood, there = self.session.run.iteration, iteration_of(finding)
        self._shell.show_workspace("step")
        self.session.doctor.show(finding)
        if there not in (None, stood):
            self.session.post("info", f"It began at iteration {there + 1:,}; the run bar leads back to {stood:,}.")

    def _try(self, finding: Finding, fixes: tuple[Fix, ...]) -> None:
        """Have cures tried, where their curves and the verdict can be seen."""
        if not self.session.trials.start(finding, fixes):
            return
        self._fill()
        if not self._shell.is_visible(_PANEL):
            self._shell.show_workspace("train")
            if not self._shell.is_visible(_PANEL):
                self._shell.toggle_panel(_PANEL)

    def _ask(self, question: str) -> None:
        """Have a question answered."""
        if self.session.trials.ask(question):
            self._fill()

    def toggle_panel(self) -> None:
        """Show the panel, or hide it."""
        self._shell.toggle_panel(_PANEL)

    def open_bounds(self) -> None:
        """Open the table of the bounds."""
        if self.bounds is None:
            self.bounds = BoundsSheet(self._shell.window())
            self.bounds.bounds_requested.connect(self._set_bounds)
            self.bounds.reset_requested.connect(self.session.doctor.reset_bounds)
        self.bounds.set_bounds(self.session.experiment.doctor)
        self.bounds.show()
        self.bounds.raise_()
        self.bounds.activateWindow()

    def _set_bounds(self, kind: str, bounds: dict) -> None:
        self.session.doctor.set_bounds(kind, **bounds)
        self.bounds.set_bounds(self.session.experiment.doctor)  # also where it was refused
