"""The branches of a run as rows of a table: what differs in each, how far it came, and how it ended. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nnviz.document.experiment import Experiment
from nnviz.document.run_branches import Branch
from nnviz.records.verdicts import Verdict
from nnviz.session.branches import KeptBranch
from nnviz.session.run import RunState
from nnviz.session.run_curves import Curves, judged
from nnviz.text import change_text

SAME = "as the document"
FEW_POINTS = "Only some of its losses are known: it was saved with few of them, or is very long. Go to it to make it again."
_WHILE_TRAINING = 10_000
"""Of more losses than this none is judged while it trains: it would take too long."""
_STOPPED = {"early_stopping": "It stopped early.", "non_finite": "It stopped: the next iteration is not finite."}


@dataclass(frozen=True)
class RunRow:
    """One branch."""

    branch: Branch
    differs: str
    """From the present document, in words."""
    curves: Curves
    verdict: Verdict | None
    is_present: bool = False
    is_growing: bool = False
    seconds: float | None = None
    """How long its iterations took, as far as that is known."""
    note: str = ""
    """What else is said of how it ended."""
    is_classifier: bool = False
    """Whether its score is an accuracy."""

    @property
    def name(self) -> str:
        """What the branch is called."""
        return self.branch.name

    @property
    def score(self) -> float | None:
        """That of the validation rows, or without any of the training rows."""
        return self.curves.last(self.score_column)

    @property
    def score_column(self) -> str:
        """The column of its curves that holds it."""
        return "training_metric" if self.curves.last("metric") is None else "metric"

    @property
    def told(self) -> str:
        """The verdict with its numbers, and what else is said."""
        said = self.verdict.sentence if self.verdict else FEW_POINTS if self.curves.iteration.size > 1 else ""
        return "\n".join(filter(None, (said, _validation(self.verdict), self.note, self.branch.note)))


def kept_row(kept: KeptBranch, present: Experiment, is_growing: bool = False) -> RunRow:
    """Return the row of a branch beside the present run. `present`: the document as it is now."""
    raced = kept.raced
    note = (raced.message or _STOPPED.get(raced.stopped, "")) if raced and raced.stopped != "done" else ""
    seconds = (raced.seconds or None) if raced else None
    return RunRow(
        kept.branch,
        differing(present, kept.branch.log.last),
        kept.curves,
        kept.verdict,
        is_growing=is_growing,
        seconds=seconds,
        note=note,
        is_classifier=bool(kept.run.data and kept.run.data.classes),
    )


def present_row(branch: Branch, run: RunState, experiment: Experiment) -> RunRow:
    """Return the row of the present run."""
    is_long = run.training and run.curves.iteration.size > _WHILE_TRAINING
    found = None if is_long else judged(run.curves, experiment, run.data, run.stopped == "non_finite")
    note = _STOPPED.get(run.stopped, "")
    return RunRow(
        branch, "the document", run.curves, found, True, run.training, note=note, is_classifier=bool(run.data and run.data.classes)
    )


def differing(present: Experiment, other: Experiment) -> str:
    """Return in words what the other experiment has otherwise."""
    return "; ".join(change_text.differences(present, other)) or SAME


def figure(column: str) -> Callable[[RunRow], float | None]:
    """Return what the last known figure of a column of a row's curves is."""
    return lambda row: row.curves.last(column)


def _validation(found: Verdict | None) -> str:
    if found is None or found.validation_lowest is None:
        return ""
    lowest = f"{found.validation_lowest:.4g} at iteration {found.validation_lowest_at:,}"
    return f"Validation: lowest {lowest}, {found.validation_end:.4g} at the end."
