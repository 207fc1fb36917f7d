"""What is told of a run of a sweep, of all of them as a table with a row for each, and what a window asks of a sweep's process. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from nnviz.document.sweep_plan import SweepOrder
from nnviz.records.run_records import CurvePoint

FAILED = "failed"
"""What `stopped` says of a run that could not be made to its end; `message` says why."""
MOST_POINTS = 100
"""So many points are kept of a curve: enough to tell curves apart, each the mean of many batches in a long run."""

Curve = tuple[tuple[int, float], ...]
"""Iterations and losses."""


class SweptRun(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One run of a sweep; figures are None where there are none."""

    number: int
    values: tuple[str, ...]
    """That of each axis, as it was typed."""
    seed: int
    fingerprint: str
    """The same for runs that come to the same."""
    iterations: int = 0
    epochs: int = 0
    loss: float | None = None
    """Of the last batch, before its update."""
    training_loss: float | None = None
    validation_loss: float | None = None
    metrics: dict[str, float | None] = {}
    parameters: int | None = None
    verdict: str = ""
    """flat · falling · oscillating · diverged"""
    verdict_is: str = ""
    """The same as a sentence with its numbers."""
    digest: str = ""
    stopped: str = FAILED
    """done · early_stopping · non_finite · failed"""
    message: str = ""
    seconds: float = 0.0
    losses: Curve = ()
    validation_losses: Curve = ()

    @property
    def is_failed(self) -> bool:
        """Whether it could not be made to its end."""
        return self.stopped == FAILED


class SweepRequest(msgspec.Struct, frozen=True, tag=True):
    """Make all runs of a sweep: each is answered by a `SweptRun`, all together by a `SweepEnd`."""

    document: str
    """As JSON."""
    folder: str
    order: SweepOrder
    workers: int | None = None
    scheduler: str = ""
    numbers: tuple[int, ...] | None = None
    """The runs that are to be made; None for all."""
    known: tuple[SweptRun, ...] = ()
    """Runs of another sweep, which are not made again where one of this comes to the same."""


class SpeedRequest(msgspec.Struct, frozen=True, tag=True):
    """Find out how long an iteration takes: answered by a `SweepSpeed`."""

    document: str
    folder: str


class SweepSpeed(msgspec.Struct, frozen=True, tag=True):
    """How fast one process is."""

    seconds: float
    """An iteration."""
    each: float
    """A run besides its iterations."""
    loading: float
    """Once, before the first run."""


class SweepEnd(msgspec.Struct, frozen=True, tag=True):
    """Nothing more comes."""

    message: str = ""
    """Why not all runs were made, as a sentence; empty if they were."""


SweepRequests = SweepRequest | SpeedRequest
SweepReplies = SweptRun | SweepSpeed | SweepEnd


def curves_of(points: Sequence[CurvePoint]) -> dict[str, Curve]:
    """Return the two curves of a run, thinned: the same iterations for runs of the same length. A thinned loss is the mean since the point
    before, as that of one batch says little."""
    losses = np.array([point.loss for point in points[1:]])
    step = max(1, -(-losses.size // MOST_POINTS))
    ends = range(step, losses.size + 1, step)
    validation = [(point.iteration, point.validation_loss) for point in points if point.validation_loss is not None]
    every = max(1, -(-len(validation) // MOST_POINTS))
    return {
        "losses": tuple((points[end].iteration, float(losses[end - step : end].mean())) for end in ends),
        "validation_losses": tuple(validation[::-1][::every][::-1]),
    }


# --- the table ---

_WHOLE = ("run", "seed", "iterations", "epochs", "parameters")
_NUMBERS = ("loss", "training_loss", "validation_loss", "seconds")
_TEXTS = ("verdict", "verdict_is", "digest", "stopped", "message", "fingerprint")


def value_of(text: str) -> Any:
    """Return the number, truth or list that a text stands for; other texts as they are."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if value is None or isinstance(value, str | dict) else value


def plain_row(run: SweptRun, labels: Sequence[str]) -> dict[str, Any]:
    """Return a run as the plain value that `--json` prints. `labels`: the axes as they were typed."""
    figures = {name: getattr(run, name) for name in ("seed", "iterations", "epochs", *_NUMBERS[:3], "metrics", "parameters", *_TEXTS[:5])}
    settings = dict(zip(labels, map(value_of, run.values), strict=True))
    return {"run": run.number, "settings": settings, **figures, "seconds": run.seconds}


def flat_table(runs: Sequence[SweptRun], labels: Sequence[str]) -> dict[str, list[Any]]:
    """Return the runs column by column: number, settings, figures, metrics, how it ended.

    A column of settings holds numbers if all are numbers, else texts. A metric that is called like another column is "metrics.…".
    """
    columns: dict[str, list[Any]] = {"run": [run.number for run in runs]}
    for place, label in enumerate(labels):
        columns[label] = _of_one_type([run.values[place] for run in runs])
    columns["seed"] = [run.seed for run in runs]
    for name in ("iterations", "epochs", *_NUMBERS[:3]):
        columns[name] = [getattr(run, name) for run in runs]
    for name in dict.fromkeys(name for run in runs for name in run.metrics):
        taken = name in columns or name in _WHOLE + _NUMBERS + _TEXTS
        columns[f"metrics.{name}" if taken else name] = [run.metrics.get(name) for run in runs]
    return columns | {name: [getattr(run, name) for run in runs] for name in ("parameters", *_TEXTS[:5], "seconds", "fingerprint")}


def _of_one_type(texts: list[str]) -> list[Any]:
    values = [value_of(text) for text in texts]
    return values if all(type(value) in (int, float) for value in values) else texts


def runs_of_table(columns: dict[str, list[Any]], labels: Sequence[str]) -> list[SweptRun]:
    """Return the runs of such a table, without their curves; it may be all text, as a CSV file is. Raises ValueError if it is none."""
    missing = next((name for name in ("run", *labels, *_WHOLE[1:], *_NUMBERS, *_TEXTS) if name not in columns), None)
    if missing:
        raise ValueError(f"It has no column {missing!r}.")
    others = [name for name in columns if name not in (*_WHOLE, *_NUMBERS, *_TEXTS, *labels)]
    return [_run_of_row({name: column[place] for name, column in columns.items()}, labels, others) for place in range(len(columns["run"]))]


def _run_of_row(row: dict[str, Any], labels: Sequence[str], metrics: Sequence[str]) -> SweptRun:
    number = lambda value, kind: None if value in (None, "") else kind(value)  # noqa: E731
    return SweptRun(
        number=int(row["run"]),
        values=tuple(str(row[label]) for label in labels),
        seed=int(row["seed"]),
        iterations=int(row["iterations"]),
        epochs=int(row["epochs"]),
        parameters=number(row["parameters"], int),
        metrics={name.removeprefix("metrics."): value for name in metrics if (value := number(row[name], float)) is not None},
        **{name: number(row[name], float) for name in _NUMBERS[:3]},
        seconds=float(row["seconds"]),
        **{name: row[name] or "" for name in _TEXTS},
    )
