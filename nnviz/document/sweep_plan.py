"""The runs of a sweep: every combination of some values of some settings, or random draws of them, each with several seeds. Pure."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Sequence
from itertools import product
from random import Random
from typing import Any, Literal

import msgspec

from nnviz.document import edits
from nnviz.document.experiment import Experiment
from nnviz.document.problems import Refused
from nnviz.document.run_log import OUTSIDE_THE_RUN, Change, RunLog
from nnviz.document.shapes.report import examine
from nnviz.document.store import json_text

MOST_RUNS = 100_000
_DIGITS = 6
"""Significant digits of a number that is drawn: what is read in a table is the very value that was used."""
_PLACE = re.compile(r"(?:@(\d{1,15}):)?([^=@]+)=(.*)", re.ASCII | re.DOTALL)
_RANGE = re.compile(r"(log|uniform|int):(.+?)\.\.(.+)", re.ASCII)
_BRACKETS = {"[": 1, "(": 1, "{": 1, "]": -1, ")": -1, "}": -1}


class DrawRange(msgspec.Struct, frozen=True):
    """Numbers to draw from."""

    kind: Literal["log", "uniform", "int"]
    """log: every factor is equally likely · uniform: every difference · int: whole numbers, both ends included."""
    low: float
    high: float

    def drawn(self, random: Random) -> str:
        """Return the next number, written as a person would type it."""
        if self.kind == "int":
            return str(random.randint(int(self.low), int(self.high)))
        share = random.random()
        if self.kind == "log":
            value = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + share * (self.high - self.low)
        return repr(min(max(float(f"{value:.{_DIGITS}g}"), self.low), self.high))


class SweepAxis(msgspec.Struct, frozen=True):
    """One setting, and the values it takes: a list, or a range to draw from."""

    path: str
    values: tuple[str, ...] = ()
    range: DrawRange | None = None
    iteration: int | None = None
    """Where it changes in the course of a run; None for before it."""

    @property
    def label(self) -> str:
        """The path as it was typed."""
        return self.path if self.iteration is None else f"@{self.iteration}:{self.path}"


class SweepOrder(msgspec.Struct, frozen=True):
    """What is asked for."""

    axes: tuple[SweepAxis, ...] = ()
    seeds: int = 1
    """So many seeds, from that of the document on."""
    draws: int | None = None
    """So many random draws; None for every combination."""
    draw_seed: int = 0
    iterations: int | None = None
    epochs: int | None = None
    """How long each run is: one of the two."""


class LaterSetting(msgspec.Struct, frozen=True):
    """A setting that changes in the course of a run."""

    iteration: int
    path: str
    value: str


class PlannedRun(msgspec.Struct, frozen=True):
    """One run of a sweep."""

    number: int
    """From 1 on."""
    values: tuple[str, ...]
    """That of each axis."""
    experiment: Experiment
    later: tuple[LaterSetting, ...] = ()
    """The first comes first."""
    problem: str = ""
    """Why it cannot be made, as a sentence."""

    @property
    def log(self) -> RunLog:
        """How the run goes, as its document keeps it."""
        log = RunLog(self.experiment)
        for one in self.later:
            log = RunLog(log.first, (*log.changes, Change(one.iteration, edits.set_value(log.last, one.path, one.value))))
        return log


# --- reading ---


def read_axis(text: str) -> SweepAxis:
    """Return what `[@ITERATION:]PATH=V1,V2,…` or `PATH=log:LOW..HIGH` says. Raises Refused."""
    match = _PLACE.fullmatch(text)
    if not match:
        raise Refused(f"{text!r} is not PATH=V1,V2,… or @ITERATION:PATH=V1,V2,….", "Write as training.l2=0,0.001.")
    iteration, path = None if match[1] is None else int(match[1]), match[2].strip()
    found = _RANGE.fullmatch(match[3].strip())
    if found:
        return SweepAxis(path, (), _range(path, *found.groups()), iteration)
    values = split_values(match[3])
    if not values:
        raise Refused(f"{path} has no values.", f"Write some behind the equals sign, as {path}=1,2.")
    return SweepAxis(path, values, None, iteration)


def _range(path: str, kind: Literal["log", "uniform", "int"], low: str, high: str) -> DrawRange:
    try:
        ends = [int(end) if kind == "int" else float(end) for end in (low, high)]
    except ValueError:
        raise Refused(f"{path}: {low}..{high} are not two numbers.", f"Write as {kind}:1..10.") from None
    if not all(map(math.isfinite, ends)) or ends[0] > ends[1] or (kind == "log" and ends[0] <= 0):
        least = "two numbers above 0" if kind == "log" else "two numbers"
        raise Refused(f"{path}: {low}..{high} is no range.", f"Write {least}, the smaller first.")
    return DrawRange(kind, *map(float, ends))


def split_values(text: str) -> tuple[str, ...]:
    """Return the values of a list, each once. Commas in brackets or quotes belong to a value; where there are semicolons, they part."""
    parts = _split(text, ";")
    parts = parts if len(parts) > 1 else _split(text, ",")
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _split(text: str, mark: str) -> list[str]:
    parts, depth, is_quoted = [""], 0, False
    for letter in text:
        is_quoted ^= letter == '"'
        depth += 0 if is_quoted else _BRACKETS.get(letter, 0)
        if letter == mark and depth <= 0 and not is_quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


# --- the runs ---


def combinations(order: SweepOrder) -> Iterator[tuple[str, ...]]:
    """Return the values of the axes, combination by combination: the last axis changes first; or the draws, each independent of how many
    there are and of the other axes."""
    if order.draws is None:
        return product(*(axis.values for axis in order.axes))
    sources = [Random(f"{order.draw_seed} {axis.label}") for axis in order.axes]
    draw = lambda axis, random: axis.range.drawn(random) if axis.range else random.choice(axis.values)  # noqa: E731
    return (tuple(map(draw, order.axes, sources)) for _ in range(order.draws))


def count(order: SweepOrder) -> int:
    """Return how many runs it has."""
    each = math.prod(len(axis.values) for axis in order.axes) if order.draws is None else order.draws
    return each * order.seeds


def planned(experiment: Experiment, order: SweepOrder) -> tuple[PlannedRun, ...]:
    """Return all runs, in the order of their numbers; a run that the document does not allow has a problem.

    Raises Refused for what makes no sense, for a setting that no run has, and where no run can be made at all."""
    _check(order)
    runs: list[PlannedRun] = []
    faults: list[tuple[str, Refused] | None] = []
    for values in combinations(order):
        for seed in range(experiment.seed, experiment.seed + order.seeds):
            run, fault = _one(experiment if order.seeds == 1 else edits.set_seed(experiment, seed), order.axes, values, len(runs) + 1)
            runs.append(run)
            faults.append(fault)
    for label in [axis.label for axis in order.axes]:
        if all(fault and fault[0] == label for fault in faults):
            raise faults[0][1]
    if all(run.problem for run in runs):
        raise Refused(f"None of the runs can be made. {runs[0].problem}", "")
    return tuple(runs)


def _check(order: SweepOrder) -> None:
    labels = [axis.label for axis in order.axes]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice:
        raise Refused(f"{twice} is given twice.", "Put all its values behind one equals sign.")
    if order.seeds > 1 and "seed" in labels:
        raise Refused("The seeds are given twice.", "Give their number, or the seeds themselves.")
    ranged = next((axis for axis in order.axes if axis.range), None)
    if ranged and order.draws is None:
        raise Refused(f"{ranged.label} is a range, which has too many values for every combination.", "Ask for random draws of it.")
    if not 1 <= count(order) <= MOST_RUNS:
        raise Refused(f"These are {count(order):,} runs.", f"Ask for 1 to {MOST_RUNS:,}.")
    late = next((axis for axis in order.axes if (axis.iteration or 0) > (order.iterations or math.inf)), None)
    if late:
        raise Refused(f"{late.label} lies beyond the end.", f"The runs have {order.iterations:,} iterations.")


def _one(
    experiment: Experiment, axes: Sequence[SweepAxis], values: tuple[str, ...], number: int
) -> tuple[PlannedRun, tuple[str, Refused] | None]:
    """The run, and the axis it is refused at with why, if it is."""
    pairs = list(zip(axes, values, strict=True))
    first = [(axis, value) for axis, value in pairs if axis.iteration is None]
    last = sorted(((axis, value) for axis, value in pairs if axis.iteration is not None), key=lambda pair: pair[0].iteration)
    later = tuple(LaterSetting(axis.iteration, axis.path, value) for axis, value in last)
    changed = experiment
    for place, (axis, value) in enumerate((*first, *last)):
        if place == len(first):
            experiment = changed
        try:
            changed = edits.set_value(changed, axis.path, value)
            if axis.iteration is not None and not _goes_on(experiment, changed):
                raise Refused(f"{axis.label} cannot change while a run goes on: data, seed and precision start a new one.", "Leave out @.")
        except Refused as refused:
            return PlannedRun(number, values, experiment, later, str(refused)), (axis.label, refused)
    experiment = experiment if last else changed
    problem = next(iter(examine(experiment).problems), None)
    return PlannedRun(number, values, experiment, later, str(problem) if problem else ""), None


def _goes_on(one: Experiment, other: Experiment) -> bool:
    return (one.data, one.seed, one.precision) == (other.data, other.seed, other.precision)


def fingerprint(run: PlannedRun, order: SweepOrder) -> str:
    """Return 16 letters that are the same for two runs if they come to the same: document, later settings and length."""
    document = {name: part for name, part in json.loads(json_text.encode(run.experiment)).items() if name not in OUTSIDE_THE_RUN}
    later: list[Any] = [[one.iteration, one.path, one.value] for one in run.later]
    text = json.dumps([document, later, order.iterations, order.epochs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
