"""The branches of the open document: the present run, and those kept beside it. Nothing that was trained is ever dropped silently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

import msgspec
from PySide6.QtCore import QObject, Signal

from nnviz.document.experiment import Experiment
from nnviz.document.run_branches import FIRST, Branch, free_color, free_name, name_like, shared
from nnviz.document.run_log import RunLog, same_run, with_looks_of
from nnviz.records.data_record import DataRecord
from nnviz.records.task_records import RacedRun
from nnviz.records.verdicts import Verdict
from nnviz.session.document import Document
from nnviz.session.engine_link import EngineLink
from nnviz.session.run import RunState, remembered
from nnviz.session.run_curves import Curves, judged
from nnviz.session.training_control import TrainingControl


@dataclass(frozen=True)
class KeptBranch:
    """A branch beside the present run, and what its run looks like."""

    branch: Branch
    run: RunState
    raced: RacedRun | None = None
    """What the engine said of it, without the points, where it was trained beside the present one; or what it was saved with."""

    @property
    def curves(self) -> Curves:
        """All figures that are known of it."""
        return self.run.curves.followed_by(self.run.ahead)

    @cached_property
    def verdict(self) -> Verdict | None:
        """How its loss went; None where that is not known."""
        return self.raced.verdict if self.raced else judged(self.curves, self.branch.log.last, self.run.data)


class Branches(QObject):
    """`kept` are those beside the present one, the oldest first. An edit in the past of a run starts a branch by itself."""

    changed = Signal()
    """Which branches there are, how far they have come, what they are called, or which of them is the present one."""
    message_posted = Signal(str, str)

    def __init__(self, document: Document, link: EngineLink, training: TrainingControl, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._link, self._training = document, link, training
        self.kept: tuple[KeptBranch, ...] = ()
        self._name, self._color, self._note = FIRST, 0, ""
        self._is_edited = False
        """Whether the next log comes of what a person did to the document; one that is only opened, or gone to, stays the branch it is,
        though another may begin like it."""
        self.waiting: KeptBranch | None = None
        """The present branch as the document was saved with it, as long as the run has not come so far again."""
        self._gone_to: KeptBranch | None = None
        """The present branch as it was when a person went to it."""

    @property
    def present(self) -> Branch | None:
        """The branch of the run that is open; None as long as none is."""
        log = self._link.log
        return Branch(self._name, self._color, log, self._link.run.reached, self._note) if log else None

    @property
    def all(self) -> tuple[Branch, ...]:
        """All branches, the present one last."""
        present = self.present
        return (*(one.branch for one in self.kept), *([present] if present else []))

    # --- what a person does ---

    def go_to(self, name: str, iteration: int | None = None) -> None:
        """Let the run stand on this branch after so many iterations; None: as many as have been made of it."""
        kept = next((one for one in self.kept if one.branch.name == name), None)
        if kept is None:
            if name == self._name and iteration is not None:
                self._training.go_to(iteration)
        elif not self._link.is_up_to_date:
            self._training.refuse()
        else:
            self._go(kept, min(kept.branch.reached, kept.branch.reached if iteration is None else iteration))

    def _go(self, kept: KeptBranch, iteration: int) -> None:
        """The document becomes what it was on that branch, before the engine is asked to make its run again."""
        self._training.pause()
        self._keep()
        self.kept = tuple(one for one in self.kept if one is not kept)
        self._name, self._color, self._note, self._gone_to = kept.branch.name, kept.branch.color, kept.branch.note, kept
        curves = kept.curves
        run = remembered(kept.run, iteration=iteration, curves=curves.until(iteration), ahead=curves.after(iteration))
        in_force = with_looks_of(kept.branch.log.at(iteration), self._document.experiment)
        self._is_edited = False
        self._link.take_up(kept.branch.log, run, in_force)
        self._document.amend(in_force)
        self.changed.emit()

    def rename(self, name: str, new: str) -> bool:
        """Call a branch something else; return whether that is possible: another one may have that name."""
        new = new.strip()
        if not new or new in {branch.name for branch in self.all if branch.name != name}:
            self.message_posted.emit("warning", f"There is a branch {new!r} already." if new else "A branch needs a name.")
            return False
        if name == self._name:
            self._name = new
            self.waiting = self.waiting and _renamed(self.waiting, new)
        self.kept = tuple(_renamed(one, new) if one.branch.name == name else one for one in self.kept)
        self.changed.emit()
        return True

    def recolor(self, name: str, color: int) -> None:
        """Give a branch this place among the colours; one that has it gets the former one, so that no two look alike."""
        former = next((branch.color for branch in self.all if branch.name == name), None)
        if former is None:
            return
        places = {branch.name: former for branch in self.all if branch.color == color} | {name: color}
        self._color = places.get(self._name, self._color)
        self.kept = tuple(_recolored(one, places.get(one.branch.name, one.branch.color)) for one in self.kept)
        self.waiting = self.waiting and _recolored(self.waiting, self._color)
        self.changed.emit()

    def remove(self, name: str) -> None:
        """Forget a branch beside the present one."""
        self.kept = tuple(one for one in self.kept if one.branch.name != name)
        self.changed.emit()

    def add(self, logs: Iterable[tuple[str, RunLog]]) -> None:
        """Have these runs beside the present one, each under this name, or one like it if it is taken; nothing has been made of them."""
        for name, log in logs:
            taken = {branch.name for branch in self.all}
            color = free_color([*self.all])
            data = self._link.run.data if log.first.data == self._link.experiment.data else None
            self.kept = (*self.kept, KeptBranch(Branch(name_like(name, taken), color, log), RunState(data=data)))
        self.changed.emit()

    def grow(self, runs: Mapping[int, RacedRun]) -> None:
        """Let branches be what the engine says of them, by the `id` of their logs; others stay as they are, and what has come further.

        Where a person has gone to one of them, what was made of it beside lies ahead.
        """
        nothing = RacedRun(-1)
        found = [(one, runs.get(id(one.branch.log), nothing)) for one in self.kept]
        self.kept = tuple(one if raced.iteration < one.branch.reached else _grown(one, raced) for one, raced in found)
        raced, run = runs.get(id(self._link.log), nothing), self._link.run
        if raced.iteration > run.reached:
            self._link.regain(Curves.of(raced.points).after(run.iteration))
        self.changed.emit()

    def annotate(self, notes: Mapping[int, str]) -> None:
        """Keep with branches beside the present one what has been found out by them, by the `id` of their logs."""
        self.kept = tuple(_noted(one, notes[id(one.branch.log)]) if id(one.branch.log) in notes else one for one in self.kept)
        self.changed.emit()

    def start_over(self) -> None:
        """Go back to the start with the present document; what it was before stays as a branch, if it was another."""
        log = self._link.log
        if not self._training.can_train or log is None:
            self._training.refuse()
        elif same_run(log.first, self._document.experiment) and not log.changes:
            self._training.go_to(0)
        else:
            if self._link.run.reached:
                self._fork()
            self._is_edited = True
            self._link.begin_again()
            self.changed.emit()

    # --- what happens ---

    def follow_edit(self, new: Experiment) -> None:
        """The document is about to become another: if the run stands in its past, what lies ahead becomes a branch beside it."""
        log, run = self._link.log, self._link.run
        self._is_edited = True
        if log is None or same_run(new, self._link.in_force):
            return
        lies_ahead = run.reached > run.iteration or any(change.iteration > run.iteration for change in log.changes)
        if lies_ahead or self.waiting:
            former = self._name
            self._fork()
            text = f"What came after iteration {run.iteration:,} stays as {former}; from here on this is {self._name}."
            self.message_posted.emit("info", text)
            self.changed.emit()

    def follow_training(self) -> None:
        """Iterations are made of what is open: where that is another run than the document was saved with, this one stays beside it."""
        waiting, log, iteration = self.waiting, self._link.log, self._link.run.iteration
        if waiting is None or log is None or not iteration:
            return
        if shared(waiting.branch.log, log) != inf:
            self._fork()
            text = f"What the document was saved with stays as {waiting.branch.name}; this run is {self._name}."
            self.message_posted.emit("info", text)
        elif iteration < waiting.branch.reached:
            return
        self.waiting = None
        self.changed.emit()

    def make_again(self) -> None:
        """What the document was saved with is made again: the present branch becomes it."""
        self.waiting = None

    def run_left(self) -> None:
        """The run is about to be given up for another one, which begins anew: it stays beside it, if none that is there holds all of it."""
        if self._link.log is not None and self._link.run.reached and not any(self._begins(one.branch) for one in self.kept):
            former = self._name
            self._fork()
            self.message_posted.emit("info", f"The run so far stays as {former}; this one is {self._name}.")
            self.changed.emit()

    def follow_log(self) -> None:
        """The run has another log: if it is nothing but the beginning of a branch beside it, it is that branch again."""
        log, run = self._link.log, self._link.run
        self._share_data()
        if not self._link.is_up_to_date:
            return
        is_edited, self._is_edited = self._is_edited, False
        if not is_edited or log is None or run.reached > run.iteration:
            return
        same = [one for one in self.kept if self._begins(one.branch)]
        if same and not any(change.iteration > run.iteration for change in log.changes):
            self._rejoin(max(same, key=lambda one: one.branch.reached))

    def _share_data(self) -> None:
        """Branches that were saved with the document have the rows of the run, where they have the same settings of the data."""
        log, data = self._link.log, self._link.run.data
        if log is not None and data is not None and any(one.run.data is None for one in self.kept):
            same = (log.first.data, log.first.seed)
            lacks = [one.run.data is None and (one.branch.log.first.data, one.branch.log.first.seed) == same for one in self.kept]
            self.kept = tuple(_with_data(*one, data) for one in zip(self.kept, lacks, strict=True))
            self.changed.emit()

    def _begins(self, branch: Branch) -> bool:
        """Whether the present run, as far as it has come, is the beginning of this branch."""
        log, iteration = self._link.log, self._link.run.iteration
        common = shared(log, branch.log)
        goes_on = common is not None and iteration <= min(common, branch.reached)
        return goes_on and same_run(branch.log.at(iteration), log.at(iteration))

    def _rejoin(self, kept: KeptBranch) -> None:
        """An edit that started a branch has been taken back before anything was trained."""
        self.kept = tuple(one for one in self.kept if one is not kept)
        self._name, self._color, self._note = kept.branch.name, kept.branch.color, kept.branch.note
        ahead = kept.curves.after(self._link.run.iteration)
        if shared(self._link.log, kept.branch.log) == inf:
            self._link.regain(ahead)
        else:
            self._link.take_up(kept.branch.log, remembered(self._link.run, ahead=ahead), self._document.experiment)
        self.changed.emit()

    def document_replaced(self) -> None:
        """Another document is open: it has branches of its own."""
        self.kept, self._name, self._color, self._note, self._is_edited, self.waiting = (), FIRST, 0, "", False, None
        self.changed.emit()

    def set_kept(self, kept: tuple[KeptBranch, ...], name: str, color: int, note: str = "") -> None:
        """Have these branches beside the present one, which is called so."""
        self.kept, self._name, self._color, self._note = kept, name, color, note
        self.changed.emit()

    def wait_for(self, kept: KeptBranch) -> None:
        """Know that the present branch was saved so, and may be made again."""
        self.waiting = kept

    # --- inside ---

    def _fork(self) -> None:
        """Keep the present run, and let what follows be a branch of another name."""
        self._keep()
        names = {branch.name for branch in (one.branch for one in self.kept)}
        self._name, self._color, self._note = free_name(names), free_color([one.branch for one in self.kept]), ""

    def _keep(self) -> None:
        """Nothing has become of a branch that was only gone to: what was said of it holds."""
        if self.waiting:
            self.kept, self.waiting = (*self.kept, self.waiting), None
        elif present := self.present:
            before = self._gone_to
            is_same = before is not None and before.branch.log is present.log and before.branch.reached == present.reached
            self.kept = (*self.kept, KeptBranch(present, remembered(self._link.run), before.raced if is_same else None))


def _with_data(kept: KeptBranch, lacks: bool, data: DataRecord) -> KeptBranch:
    return replace(kept, run=replace(kept.run, data=data)) if lacks else kept


def _renamed(kept: KeptBranch, name: str) -> KeptBranch:
    return replace(kept, branch=msgspec.structs.replace(kept.branch, name=name))


def _noted(kept: KeptBranch, note: str) -> KeptBranch:
    return replace(kept, branch=msgspec.structs.replace(kept.branch, note=note))


def _recolored(kept: KeptBranch, color: int) -> KeptBranch:
    is_same = kept.branch.color == color
    return kept if is_same else replace(kept, branch=msgspec.structs.replace(kept.branch, color=color))


def _grown(kept: KeptBranch, raced: RacedRun) -> KeptBranch:
    run = remembered(kept.run, iteration=raced.iteration, curves=Curves.of(raced.points), ahead=Curves.of(None))
    branch = msgspec.structs.replace(kept.branch, reached=raced.iteration)
    return KeptBranch(branch, run, msgspec.structs.replace(raced, points=None))
