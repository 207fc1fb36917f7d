"""Questions about a run that a short replay answers: noise or rate, are the inputs used, is the sum or the mean meant. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from nnviz.document import edits
from nnviz.document.experiment import Experiment
from nnviz.document.problems import Refused
from nnviz.document.run_log import RunLog
from nnviz.records.task_records import RacedRun
from nnviz.records.tensors import to_numpy

WINDOW = 200
"""So many iterations a replay goes on; its first half is not looked at."""
FALLS = 0.5
"""Below this share of what it was a variance has fallen."""
SAME = 0.01
"""A loss that differs by no more than this share is the same."""
ROUNDING = 1e-12
"""Of the square of a loss: a smaller variance is rounding."""
BETTER = 0.9
"""A loss below this share of another is better."""


class RunQuestion(NamedTuple):
    """What can be asked."""

    key: str
    label: str
    explanation: str


QUESTIONS = (
    RunQuestion(
        "noise", "Is it noise or the learning rate?", "how the loss swings with batches four times as large, and with a quarter of the rate"
    ),
    RunQuestion("inputs", "Does it use its inputs?", "the loss when the inputs are handed to the wrong rows"),
    RunQuestion("reduction", "Is the sum or the mean meant?", "the same training with the rate that goes with the sum over the batch"),
)


class Replay(NamedTuple):
    """The runs that answer a question, all up to the same iteration."""

    question: str
    logs: tuple[RunLog, ...]
    end: int
    asked_at: int
    """The iteration the question is about."""
    batch_size: int = 1


def replay(question: str, log: RunLog, iteration: int, rows: int) -> Replay:
    """Return what has to be made to answer it where the run stands. `rows`: how many are trained on. Raises Refused where nothing can."""
    return _REPLAYS[question](log.until(iteration), iteration, rows)


def answer(asked: Replay, runs: Sequence[RacedRun]) -> str:
    """Return the answer in one or two sentences, with what was measured."""
    hopeless = ("failed", "non_finite") if asked.question == "noise" else ("failed",)
    if failed := next((run for run in runs if run.stopped in hopeless), None):
        return f"One of the runs could not be made to its end, so it cannot be told. {failed.message}".strip()
    return _ANSWERS[asked.question](asked, runs)


# --- noise or rate ---


def _noise_replay(log: RunLog, iteration: int, rows: int) -> Replay:
    here = log.last
    size = here.training.batch_size
    if size is None or size >= rows:
        raise Refused("Every batch holds all rows, so batches bring no noise.", "If the loss swings, it is the learning rate.")
    larger = edits.change_training(here, batch_size=min(rows, 4 * size))
    slower = edits.change_optimizer(here, learning_rate=here.training.optimizer["learning_rate"] / 4)
    return Replay("noise", (log, log.changed(iteration, larger), log.changed(iteration, slower)), iteration + WINDOW, iteration)


def _noise_answer(asked: Replay, runs: Sequence[RacedRun]) -> str:
    plain, larger, slower = (_variance(run, asked.end - WINDOW // 2) for run in runs)
    measured = f"Variance of the loss over {WINDOW // 2} iterations: {plain:.2g}; batches ×4: {larger:.2g}; rate ÷4: {slower:.2g}."
    if plain <= ROUNDING * max(1.0, runs[0].last.loss ** 2 if runs[0].last else 1.0):
        return f"The loss does not swing. {measured}"
    by_batch, by_rate = larger < FALLS * plain, slower < FALLS * plain
    said = {
        (True, False): "It is noise of the batches.",
        (False, True): "It is the learning rate.",
        (True, True): "It is both: larger batches and a smaller rate calm it.",
        (False, False): "It is neither: the loss swings as before with larger batches and with a smaller rate.",
    }
    return f"{said[by_batch, by_rate]} {measured}"


def _variance(run: RacedRun, behind: int) -> float:
    """Of the loss about its straight trend, behind an iteration."""
    iterations, losses = to_numpy(run.points.iterations), to_numpy(run.points.losses)
    late = iterations > behind
    trend = np.polynomial.Polynomial.fit(iterations[late], losses[late], 1)
    return float(np.mean((losses[late] - trend(iterations[late])) ** 2))


# --- inputs ---


def _inputs_replay(log: RunLog, iteration: int, rows: int) -> Replay:
    if not iteration:
        raise Refused("Nothing has been trained.", "Train some iterations first.")
    return Replay("inputs", (log,), iteration, iteration)


def _inputs_answer(asked: Replay, runs: Sequence[RacedRun]) -> str:
    found = runs[0].whole
    if found is None:
        return "The rows could not be looked at."
    change = abs(found.permuted_loss - found.loss) / abs(found.loss) if found.loss else abs(found.permuted_loss)
    uses = "No: it answers without its inputs" if change <= SAME else "Yes, it uses its inputs"
    return f"{uses}. The loss is {found.loss:.4g}, and {found.permuted_loss:.4g} when the inputs are handed to the wrong rows."


# --- sum or mean ---


def _reduction_replay(log: RunLog, iteration: int, rows: int) -> Replay:
    first: Experiment = log.first
    optimizer, size = first.training.optimizer, min(first.training.batch_size or rows, rows)
    if optimizer.kind != "sgd":
        raise Refused(
            f"To {optimizer.kind} the sum and the mean are the same: it divides the gradient by its own size.", "Ask it of a run with SGD."
        )
    if size == 1:
        raise Refused("A batch has one row: the sum is the mean.", "Ask it of a run with larger batches.")
    rate = optimizer["learning_rate"]
    rates = [rate, rate * size, rate / size]
    return Replay("reduction", tuple(RunLog(edits.change_optimizer(first, learning_rate=one)) for one in rates), WINDOW, iteration, size)


def _reduction_answer(asked: Replay, runs: Sequence[RacedRun]) -> str:
    plain, summed, divided = losses = [math.inf if run.stopped == "non_finite" else run.last.training_loss for run in runs]
    size = asked.batch_size
    told = [f"{loss:.4g}" if math.isfinite(loss) else "not finite" for loss in losses]
    measured = f"Training loss after {asked.end} iterations: {told[0]}; rate ×{size}: {told[1]}; rate ÷{size}: {told[2]}."
    if min(summed, divided) > BETTER * plain:
        return f"The mean, as it is: no other rate is better. {measured}"
    if summed < divided:
        return f"The rate seems meant for the sum over the batch: with the mean it has to be {size} times as large. {measured}"
    return f"The rate seems too large for the mean: it would fit a loss that is {size} times smaller. {measured}"


_REPLAYS: dict[str, Callable[[RunLog, int, int], Replay]] = {
    "noise": _noise_replay,
    "inputs": _inputs_replay,
    "reduction": _reduction_replay,
}
_ANSWERS: dict[str, Callable[[Replay, Sequence[RacedRun]], str]] = {
    "noise": _noise_answer,
    "inputs": _inputs_answer,
    "reduction": _reduction_answer,
}
