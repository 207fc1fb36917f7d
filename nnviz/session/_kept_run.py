"""A run that was saved with its document: kept in the file as its history, and made again from it, bit by bit, when a person says so."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np
from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from nnviz import messages
from nnviz.document.experiment import Experiment
from nnviz.document.run_branches import Branch
from nnviz.document.run_log import RunLog, same_run, with_looks_of
from nnviz.document.store import files, saved_run
from nnviz.document.store.data_paths import with_path_of
from nnviz.document.store.files import DocumentError
from nnviz.document.store.saved_run import MOST_POINTS, PART, SavedBranch, SavedRun
from nnviz.records import verdicts
from nnviz.records.task_records import RacedRun
from nnviz.session.branches import Branches, KeptBranch
from nnviz.session.document import Document, Edited
from nnviz.session.engine_link import EngineLink
from nnviz.session.run import RunState, remembered
from nnviz.session.run_curves import COLUMNS, Curves
from nnviz.session.sweep_control import SweepControl
from nnviz.session.training_control import TrainingControl


def _picked(curves: Curves) -> np.ndarray:
    """A few places of the curves, the last one among them: evenly picked, half of them where more than a loss was measured."""
    count = curves.iteration.size
    if count <= MOST_POINTS:
        return np.arange(count)
    measured = np.flatnonzero(~(np.isnan(curves.validation_loss) & np.isnan(curves.training_loss)))
    half = MOST_POINTS // 2
    some = measured[np.linspace(0, measured.size - 1, min(measured.size, half)).astype(int)]
    return np.union1d(some, np.linspace(0, count - 1, MOST_POINTS - some.size).astype(int))


def _saved(kept: KeptBranch) -> SavedBranch:
    """A branch as it is saved: some points of its curves, and how it ended."""
    curves, raced = kept.curves, kept.raced or RacedRun(0)
    places = _picked(curves)
    table = np.stack([column[places] for column in curves.columns()[:6]], 1)
    rows = [[None if math.isnan(value) else value for value in row] for row in table.tolist()]
    points = tuple((int(row[0]), row[1], row[2]) for row in rows)
    figures = tuple((row[3], row[4], row[5]) for row in rows)
    said = None if kept.verdict is None else verdicts.plain(kept.verdict)
    return SavedBranch(kept.branch, points, figures, raced.stopped, raced.message, raced.seconds, said)


def _kept(saved: SavedBranch) -> KeptBranch:
    """A branch as it was saved: with few points of its curves, until it is made again."""
    number = lambda value: math.nan if value is None else value  # noqa: E731
    unknown = [math.nan] * (COLUMNS - 3)
    others = [[*map(number, figures), math.nan] for figures in saved.figures] or [unknown] * len(saved.points)
    rows = [(at, number(loss), number(validation), *rest) for (at, loss, validation), rest in zip(saved.points, others, strict=True)]
    curves = Curves(*np.array(rows, dtype=np.float64).reshape(-1, COLUMNS).T)
    verdict = verdicts.from_plain(saved.verdict) if saved.verdict is not None else None
    raced = RacedRun(saved.branch.reached, saved.stopped, saved.message, saved.seconds, None, verdict)
    is_told = verdict is not None or saved.stopped
    return KeptBranch(saved.branch, RunState(iteration=saved.branch.reached, curves=curves), raced if is_told else None)


def _moved(saved: SavedBranch, experiment: Experiment) -> SavedBranch:
    """The branch with the data file where this experiment has it."""
    return replace(saved, branch=replace(saved.branch, log=with_path_of(saved.branch.log, experiment)))


class KeptRun(QObject):
    """`saved` is what the present document was saved with, for as long as the document is what it was then."""

    changed = Signal()
    """Something can be resumed, or cannot any more."""
    kept_changed = Signal()
    """`is_kept` is another."""
    message_posted = Signal(str, str)

    def __init__(
        self,
        document: Document,
        link: EngineLink,
        training: TrainingControl,
        branches: Branches,
        sweep: SweepControl,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._link, self._training, self._branches, self._sweep = document, link, training, branches, sweep
        self.saved: SavedRun | None = None
        self._going: SavedRun | None = None
        self._is_asked = False
        self._in_file: tuple[int, RunLog] | None = None
        """How far the run in the document's file has come, and its log."""
        self._branches_in_file: tuple[Branch, ...] = ()
        """Those beside it."""
        self._was_kept = True

    def resume(self) -> None:
        """Make the run stand where it stood when the document was saved; as soon as the engine is up, if it is not yet."""
        self._going, self._is_asked = self.saved, False
        self._branches.make_again()
        self._offer(None)
        if self._going and self._link.is_up_to_date:
            self._begin()

    # --- saving ---

    @property
    def is_kept(self) -> bool:
        """Whether the document's file holds the run as it stands, or would hold none: only *.nnviz files keep training."""
        path, iteration = self._document.path, self._link.run.iteration
        if path is None or path.suffix.lower() != ".nnviz":
            return True
        if self._branches_in_file != self._beside():
            return False
        if iteration == 0:
            return self._in_file is None or self.saved is not None
        return self._in_file is not None and self._in_file[0] == iteration and self._in_file[1] == self._log()

    def follow(self) -> None:
        """The document, its file, the run or its branches are others: tell if the file does not hold the run any more, or does again."""
        if self.saved and self._branches.waiting is None:
            self._offer(None)  # it is one of the branches
        if self.is_kept != self._was_kept:
            self._was_kept = not self._was_kept
            self.kept_changed.emit()

    def written(self) -> None:
        """The file holds the run as it stands now, if it could be attached; before the first iteration what it held before."""
        iteration, log = self._link.run.iteration, self._log()
        if iteration:
            self._in_file = (iteration, log) if log and self.attachments() else None
        elif not self.saved:
            self._in_file = None
        self._branches_in_file = self._beside()
        self._sweep.written(self.present)

    def _beside(self) -> tuple[Branch, ...]:
        return tuple(one.branch for one in self._branches.kept)

    def _log(self) -> RunLog | None:
        """The log of the run, with the document as it is now."""
        log, experiment = self._link.log, self._document.experiment
        if log is None or same_run(log.at(self._link.run.iteration), experiment):
            return log
        return log.changed(self._link.run.iteration, experiment)

    def attachments(self) -> dict[str, bytes]:
        """Return what goes into the file beside the document."""
        return self._sweep.attachments(self.present)

    @property
    def present(self) -> SavedRun | None:
        """The run as a file keeps it: before the first iteration what it was saved with last, if anything."""
        log, run, present = self._log(), self._link.run, self._branches.present
        beside = tuple(map(_saved, self._branches.kept))
        if self.saved and run.iteration == 0:
            return replace(self.saved, branches=beside)
        if log is None or present is None or not self._link.is_sound or not (run.iteration or beside):
            return None
        reached = run.reached if run.reached > run.iteration else 0
        judged = None if run.training else run.data  # while it trains there is another verdict every time
        own = _saved(KeptBranch(present, remembered(run, data=judged))) if run.iteration else None
        loss = run.curves.last("loss")
        return SavedRun(run.iteration, loss, log, present.name, present.color, beside, reached, own)

    # --- opening ---

    def offer(self, data: bytes | None) -> None:
        """Take what the present document was kept with, if that leads to this document."""
        found = saved_run.decode(data) if data else None
        self._sweep.offer(found.sweep if found else None)
        if found:
            experiment = self._document.experiment
            beside = tuple(_moved(one, experiment) for one in found.branches)
            found = replace(found, log=with_path_of(found.log, experiment), branches=beside, sweep=None)
            self._branches.set_kept(tuple(map(_kept, found.branches)), found.name, found.color, found.own.branch.note if found.own else "")
        self._branches_in_file = self._beside()
        leads_here = found and any(same_run(one, self._document.experiment) for one in (found.log.at(found.iteration), found.log.last))
        if found and leads_here and found.iteration:
            own = found.own or SavedBranch(Branch(found.name, found.color, found.log, found.iteration))
            self._branches.wait_for(_kept(replace(own, branch=replace(own.branch, log=found.log))))
            self._offer(found)
        else:
            self._offer(None)
        self._in_file = (self.saved.iteration, self.saved.log) if self.saved else None

    def follow_document(self) -> None:
        """Another document is open: take what its file was kept with."""
        self._going, data = None, None
        if self._document.path and self._document.is_saved:
            with suppress(DocumentError):
                data = files.part(self._document.path, PART)
        self.offer(data)

    def follow_edit(self, edit: Edited) -> None:
        """The document is another now: the run it was saved with does not lead to it."""
        if not same_run(edit.old, edit.new):
            self._going = None
            self._offer(None)

    def _offer(self, saved: SavedRun | None) -> None:
        if saved is not self.saved:
            self.saved = saved
            self.changed.emit()

    # --- on the way ---

    def _begin(self) -> None:
        """With changes on the way the run begins anew, as the document was at first; without, it is only moved."""
        if self._going.log.changes:
            self._document.amend(with_looks_of(self._going.log.first, self._document.experiment))  # else it would be an edit of the start
            self._link.begin_again(self._going.log)
        else:
            self._go()

    def _go(self) -> None:
        """Where it had gone back, what lay ahead is made first."""
        self._is_asked = True
        self._training.go_to(max(self._going.iteration, self._going.reached))

    def take(self, reply: messages.Reply) -> None:
        """Go on with what was begun here, as soon as the engine is where it was to be."""
        if self._going is None:
            return
        match reply:
            case messages.Opened() if not self._is_asked:
                is_begun = self._link.log is not None and len(self._link.log.changes) == len(self._going.log.changes)
                self._go() if is_begun else self._begin()
            case messages.Moved() if self._is_asked and reply.iteration == self._going.reached > self._going.iteration:
                self._training.go_to(self._going.iteration)
            case messages.Moved() if self._is_asked:
                self._arrived(reply)
            case messages.Failed():
                self._going = None

    def _arrived(self, reply: messages.Moved) -> None:
        """Say so if the same iterations did not give the same loss."""
        wanted, self._going = self._going, None
        curves, is_known = self._link.run.curves, reply.points is not None
        known = (curves.loss[-1], curves.training_loss[-1]) if is_known else ()  # older files have the latter after an edit of weights
        if reply.iteration == wanted.iteration and wanted.loss is not None and wanted.loss not in known:
            loss = f"loss {curves.loss[-1]:.6g} instead of {wanted.loss:.6g}" if is_known else "it has no loss"
            text = f"The run came out differently than when it was saved: {loss}."
            self.message_posted.emit("warning", f"{text} Another torch, another machine, or other data can be why.")
