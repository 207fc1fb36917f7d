"""What the doctor says of the present run, as far as it is known, and the way to where it is seen."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from nnviz.document import edits
from nnviz.document.problems import Fix
from nnviz.records.finding import Finding
from nnviz.records.finding_places import cursor_of, iteration_of
from nnviz.session.document import Document
from nnviz.session.engine_link import EngineLink
from nnviz.session.run import RunState
from nnviz.session.stepping import Stepping
from nnviz.session.training_control import TrainingControl


class DoctorControl(QObject):
    """`latest` is what was found last; `is_past` where the run stands elsewhere now, or goes there, or has become another."""

    changed = Signal()
    """What was found, of what it knows enough, whether that is of the present, or whether iterations are made."""

    def __init__(
        self, document: Document, link: EngineLink, training: TrainingControl, stepping: Stepping, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._link, self._training, self._stepping = document, link, training, stepping
        self.latest: tuple[Finding, ...] = ()
        self.judged: tuple[str, ...] = ()
        """The kinds of which it knew enough to say that there is none."""
        self.iteration = 0
        """After how many iterations that was."""
        self.is_past = True
        self._was_training = False

    # --- what there is ---

    @property
    def present(self) -> tuple[Finding, ...]:
        """What is found where the run stands; none as long as that is not known."""
        return () if self.is_past else self.latest

    # --- what a person does ---

    def show(self, finding: Finding) -> None:
        """Let the run stand before the iteration in which it began, and the cursor where it is seen."""
        run, iteration = self._link.run, iteration_of(finding)
        self._training.pause()
        if iteration is None or iteration == run.iteration:
            self._look(finding)
        else:
            self._stepping.aim(lambda index: cursor_of(index, finding) if index.trace.iteration == iteration else None)
            self._training.go_to(iteration)
        self._stepping.select(None)

    def _look(self, finding: Finding) -> None:
        """Stand at it in the trace that is there, else in the one that comes."""
        if self._link.run.is_traced and self._stepping.index:
            self._stepping.to(cursor_of(self._stepping.index, finding))
        else:
            self._stepping.aim(lambda index: cursor_of(index, finding))

    def apply(self, fix: Fix) -> None:
        """Make a cure's edits."""
        self._document.edit(fix.label, edits.apply_fix, fix)

    def set_bounds(self, kind: str, **bounds: Any) -> None:
        """Judge by other bounds from now on."""
        self._document.edit("Change what the doctor judges by", edits.change_bounds, kind, merge=f"doctor.{kind}", **bounds)

    def reset_bounds(self, kind: str | None = None) -> None:
        """Judge by the usual bounds of a kind; None: of all."""
        self._document.edit("Reset what the doctor judges by", edits.reset_bounds, kind)

    # --- what happens ---

    def follow(self, run: RunState) -> None:
        """The run has become this."""
        before, was_training = (self.latest, self.judged, self.iteration, self.is_past), self._was_training
        if run.findings is not None:
            self.latest, self.judged, self.iteration = run.findings, run.judged, run.findings_iteration
        self.is_past, self._was_training = not run.is_judged, run.training
        if before != (self.latest, self.judged, self.iteration, self.is_past) or was_training != run.training:
            self.changed.emit()

    def document_replaced(self) -> None:
        """Another document is open: nothing is known of it."""
        self.latest, self.judged, self.iteration, self.is_past = (), (), 0, True
        self.changed.emit()
