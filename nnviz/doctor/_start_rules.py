"""What can be told before any training, from the document, the rows and the weights of the start; and the exact end of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import log

from nnviz.doctor.history import RunHistory
from nnviz.document.catalog import DATASETS
from nnviz.document.checks.equal_starts import equal_start_warnings
from nnviz.document.checks.linear_layers import linear_warnings
from nnviz.document.checks.links import LinkIndex
from nnviz.document.problems import Problem
from nnviz.document.shapes.report import examine
from nnviz.records.finding import Finding

FEWEST_ROWS = 10
"""Of fewer rows no mean and no deviation is judged."""
SETTLED = 20
"""Iterations in which a loss that starts too high may come down by itself …"""
HOPELESS = 10.0
"""… unless it is so many bounds too high."""
_ALIKE = ("Images", "Series", "Text")
"""Groups of data whose columns are one quantity at several places: there some may well be constant, or smaller than others."""

Bounds = Mapping[str, float]


def non_finite(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """The next iteration cannot be made."""
    if history.non_finite:
        at = history.iteration
        before = f"all numbers up to iteration {at:,} are finite" if at else "it is so from the start"
        evidence = f"Iteration {at + 1:,} cannot be made; {before}."
        yield Finding("non_finite", history.non_finite_layer or "data", history.non_finite, evidence, since=at, at=at)


def output_range(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """What the document already warns of: an activation that is made twice, or leaves out what the loss asks for."""
    others = [*_linear(history), *equal_start_warnings(history.experiment, LinkIndex(history.experiment.network))]
    for warning in examine(history.experiment).warnings:
        if warning not in others:
            yield _of_document("output_range", history, warning)


def no_non_linearity(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """The other warnings of the document."""
    for warning in _linear(history):
        yield _of_document("no_non_linearity", history, warning)


def _linear(history: RunHistory) -> list[Problem]:
    return linear_warnings(LinkIndex(history.experiment.network), examine(history.experiment).layers)


def _of_document(kind: str, history: RunHistory, warning: Problem) -> Finding:
    evidence = "The document alone says so, whatever is trained."
    return Finding(kind, warning.layer, warning.message, evidence, since=history.changed_at, at=history.iteration)


def symmetric_start(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """Units with a twin stay alike, unless dropout or noise tells them apart: so what is measured last counts."""
    at, units_of = 0, history.facts.symmetric_units
    if history.wholes:
        at, last = history.wholes[-1]
        units_of = last.symmetric_units
    elif history.changed_at:
        return
    for layer, units in units_of.items():
        title, count = history.experiment.network.titles[layer], _units(history, layer)
        cause = f"{title} has units with the same weights in and out: they are trained alike, and do what one of them could."
        evidence = f"{len(units)} of {count} units have a twin, bit by bit, after {at:,} iterations."
        yield Finding("symmetric_start", layer, cause, evidence, len(units), 0, since=history.changed_at, at=at)


def _units(history: RunHistory, layer: str) -> int:
    return int(history.experiment.network.layer(layer).settings.get("units", 0))


def input_scale(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """Columns as they are trained on; not where they are scaled, or a batch norm is the first that sees them."""
    facts, data = history.facts, history.experiment.data
    if facts.rows < FEWEST_ROWS or not facts.stds or data.settings.get("scaling", "none") != "none" or _is_normed(history):
        return
    group = DATASETS[data.kind].group if data.kind in DATASETS else ""
    moving = [std for std in facts.stds if std > 0]
    offset = max((abs(mean) / std for mean, std in zip(facts.means, facts.stds, strict=True) if std > 0), default=0.0)
    if group not in _ALIKE and len(moving) > 1 and (spread := max(moving) / min(moving)) > bounds["spread"]:
        cause = "The columns of the input differ much in size: one learning rate cannot suit the weights of all of them."
        evidence = f"The largest standard deviation is {spread:.3g} times the smallest (bound {bounds['spread']:g})."
        yield _of_input(history, cause, evidence, spread, bounds["spread"])
    elif offset > bounds["offset"]:
        cause = "A column of the input lies far from 0: its weight and the bias pull at the same thing."
        evidence = f"Its |mean| is {offset:.3g} times its standard deviation (bound {bounds['offset']:g})."
        yield _of_input(history, cause, evidence, offset, bounds["offset"])
    elif group not in _ALIKE and len(moving) < len(facts.stds):
        constant = len(facts.stds) - len(moving)
        cause = f"{constant} of {len(facts.stds)} columns of the input {'is' if constant == 1 else 'are'} constant, and tell nothing."
        yield _of_input(history, cause, "The standard deviation is 0.", 0.0, 0.0)


def _of_input(history: RunHistory, cause: str, evidence: str, value: float, bound: float) -> Finding:
    return Finding("input_scale", "data", cause, evidence, value, bound, since=0, at=history.iteration)


def _is_normed(history: RunHistory) -> bool:
    """Whether only batch norms read the input."""
    network = history.experiment.network
    entries = [layer.id for layer in network if layer.kind == "input"]
    readers = [network.layer(id).kind for entry in entries for id in network.outputs_of(entry)]
    return bool(readers) and all(kind == "batch_norm" for kind in readers)


def start_loss(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """The loss over all rows before any training; told as long as it has not come down, which it often does in a few iterations: till then
    it is information. Weights set by hand are meant so. Where one class is frequent the best constant answer knows that already: a net that
    takes all C classes for equally likely, with a loss of ln C, is sure of nothing."""
    facts = history.facts
    if facts.rows < FEWEST_ROWS or facts.constant_loss <= 0 or history.changed_at or history.experiment.weights:
        return
    usual = max(facts.constant_loss, log(max(1, len(facts.class_counts))))
    excess, now = facts.start_loss / usual - 1, history.level / usual - 1
    if excess > bounds["excess"] and now > bounds["excess"]:
        is_early = history.iteration < SETTLED and excess < HOPELESS * bounds["excess"]
        what = "surely one class, and mostly the wrong one" if facts.class_counts else "far from the targets"
        cause = f"Before any training the answers are {what}: the weights start too large, or the last layer does not suit."
        evidence = (
            f"The loss starts at {facts.start_loss:.4g}; an answer that is the same for all rows has {usual:.4g} "
            f"(bound {1 + bounds['excess']:g} times that)."
        )
        yield Finding("start_loss", _last_layer(history), cause, evidence, excess, bounds["excess"], 0, 0, is_early)


def _last_layer(history: RunHistory) -> str:
    return next((one.id for one in reversed(history.experiment.network.in_order()) if "units" in one.settings), "data")
