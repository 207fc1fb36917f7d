"""A sweep that has begun: the document that is swept, what was asked for, the runs that are finished; and how a file keeps that. Pure.

Part of the run in a document's file (document/store/saved_run.py), which programs that know of no sweeps read without it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from nnviz.document.experiment import Experiment
from nnviz.document.problems import Refused
from nnviz.document.store import json_text
from nnviz.document.sweep_plan import PlannedRun, SweepOrder, count, planned
from nnviz.records.sweep_records import Curve, SweptRun

MOST_RUNS = 5_000
"""More runs than that are made by the command line alone, and kept in its table."""
_MOST_POINTS = 1_000
_CURVES = ("losses", "validation_losses")
_NUMBERS = ("loss", "training_loss", "validation_loss", "metrics", "seconds")
_NOT_FINITE = ("Infinity", "-Infinity", "NaN")
"""What JSON has no numbers for, as texts that `float` reads."""


class StartedSweep(msgspec.Struct, frozen=True):
    """A sweep of which any number of runs are finished."""

    experiment: Experiment
    """The document as it was when the sweep began."""
    order: SweepOrder
    runs: tuple[PlannedRun, ...]
    """All of them, in the order of their numbers."""
    rows: tuple[SweptRun, ...] = ()
    """Those that are finished, likewise."""

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers of the runs that are not made, those that failed although their documents are in order among them."""
        made = {row.number for row in self.rows if not row.is_failed}
        return tuple(run.number for run in self.runs if run.number not in made and not run.problem)

    def with_rows(self, rows: Iterable[SweptRun]) -> StartedSweep:
        """Return the sweep with these runs, too; they take the places of those of the same numbers."""
        found = {row.number: row for row in (*self.rows, *rows)}
        return msgspec.structs.replace(self, rows=tuple(found[number] for number in sorted(found)))


def started(experiment: Experiment, order: SweepOrder) -> StartedSweep:
    """Return the sweep before its first run is made. Raises Refused."""
    return StartedSweep(experiment, order, planned(experiment, order))


# --- in a file ---


def plain(sweep: StartedSweep, with_curves: bool = True) -> dict[str, Any]:
    """Return the sweep as what JSON can hold. Curves of the same iterations name these once."""
    ways: dict[tuple[int, ...], int] = {}
    rows = [_plain_row(row, ways if with_curves else None) for row in sweep.rows]
    document, order = json_text.encode(sweep.experiment).decode(), msgspec.to_builtins(sweep.order)
    return {"document": document, "order": order, "iterations": list(map(list, ways)), "runs": rows}


def _plain_row(row: SweptRun, ways: dict[tuple[int, ...], int] | None) -> dict[str, Any]:
    """`ways`: the iterations of curves that are known already, and their places; None leaves curves out."""
    values = {name: getattr(row, name) for name in row.__struct_fields__ if name not in _CURVES}
    found = {name: _text_of(value) for name, value in values.items() if value not in (None, "", {})}
    for name in _CURVES:
        if ways is not None and (curve := getattr(row, name)):
            way = ways.setdefault(tuple(at for at, _ in curve), len(ways))
            found[name] = [way, [_text_of(loss) for _, loss in curve]]
    return found


def _text_of(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _text_of(one) for name, one in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return _NOT_FINITE[2] if math.isnan(value) else _NOT_FINITE[value < 0]
    return value


def from_plain(value: Any) -> StartedSweep | None:
    """Return the sweep in such a value; None if it is none, or none that this program can make."""
    try:
        experiment, _ = json_text.decode(value["document"].encode())
        order = msgspec.convert(value["order"], SweepOrder)
        if experiment is None or not 1 <= count(order) <= MOST_RUNS:
            return None
        ways = [tuple(way) for way in msgspec.convert(value["iterations"], list[list[int]])]
        sweep = started(experiment, order)
        rows = [_row(one, ways) for one in value["runs"][:MOST_RUNS]]
        return sweep.with_rows(rows) if all(_is_of(row, sweep.runs) for row in rows) else None
    except (Refused, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
        return None


def _row(value: dict[str, Any], ways: Sequence[tuple[int, ...]]) -> SweptRun:
    numbers = {name: _number_of(value[name]) for name in _NUMBERS if name in value}
    curves = {name: _curve(value[name], ways) for name in _CURVES if name in value}
    return msgspec.convert(value | numbers | curves, SweptRun)


def _number_of(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _number_of(one) for name, one in value.items()}
    return float(value) if isinstance(value, str) and value in _NOT_FINITE else value


def _curve(value: Any, ways: Sequence[tuple[int, ...]]) -> Curve:
    way, losses = value
    if not 0 <= way < len(ways) or len(losses) > _MOST_POINTS:
        raise ValueError("that is no curve")
    return tuple((at, _number_of(loss)) for at, loss in zip(ways[way], losses, strict=True))


def _is_of(row: SweptRun, runs: Sequence[PlannedRun]) -> bool:
    run = runs[row.number - 1] if 0 < row.number <= len(runs) else None
    return run is not None and (run.values, run.experiment.seed) == (row.values, row.seed)
