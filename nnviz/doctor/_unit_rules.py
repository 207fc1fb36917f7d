"""What the units of a layer tell: whether they are 0 for all rows, or flat for most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nnviz.doctor.history import RunHistory
from nnviz.document.network import Layer
from nnviz.records.checkup_records import Checkup, FunctionCheckup
from nnviz.records.finding import Finding

Bounds = Mapping[str, float]


def dead_relu(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """Units that are 0 on every training row, twice, an epoch apart. Few of them, or many in a net that has learnt, are information."""
    if not (pair := _an_epoch_apart(history)):
        yield from _dead_on_batch(history, bounds)
        return
    (first_at, first), (last_at, last) = pair
    for layer, units in last.dead_units.items():
        dead = sorted(set(units) & set(first.dead_units.get(layer, ())))
        count = _units(history.experiment.network.layer(layer), history, layer)
        if not dead or not count:
            continue
        share, title = len(dead) / count, history.experiment.network.titles[layer]
        is_harmless = share <= bounds["share"] or history.is_solved
        if share < bounds["share"] / 2 or (share <= bounds["share"] and history.is_solved):
            continue
        cause = f"{title} has {len(dead)} of {count} units that are 0 on every training row: no gradient comes through them."
        evidence = (
            f"So on all {last.rows:,} rows at iterations {first_at:,} and {last_at:,} "
            f"({share:.0%} of the units, bound {bounds['share']:.0%})."
        )
        yield Finding("dead_relu", layer, cause, evidence, share, bounds["share"], first_at, last_at, is_harmless)


def _an_epoch_apart(history: RunHistory):
    """The last checkup of all rows, and the last one at least an epoch before it; None as long as there are no such two."""
    wholes = history.wholes
    earlier = [one for one in wholes if one[0] <= wholes[-1][0] - history.epoch] if wholes else []
    return (earlier[-1], wholes[-1]) if earlier else None


def _dead_on_batch(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    for layer in _layers_with(history, "relu"):
        spell = history.lasting(lambda one, layer=layer: _flat_share(one, layer) > bounds["share"])
        if not spell:
            continue
        title, share = history.experiment.network.titles[layer], _flat_share(history.checkups[-1], layer)
        cause = f"{title} has many units that are 0 on all rows of this batch."
        evidence = f"{share:.0%} of the units (bound {bounds['share']:.0%}) {spell.text}; whether so on all rows is not known yet."
        yield Finding("dead_relu", layer, cause, evidence, share, bounds["share"], spell.since, spell.at, True)


def saturated(history: RunHistory, bounds: Bounds) -> Iterator[Finding]:
    """Units whose function is flat for most rows; not of the last layer, nor in a net that has learnt: there they are sure."""
    if history.is_solved:
        return
    network = history.experiment.network
    for layer in (*_layers_with(history, "tanh"), *_layers_with(history, "sigmoid")):
        if not network.outputs_of(layer):
            continue
        if spell := history.lasting(lambda one, layer=layer: _flat_share(one, layer) > bounds["share"]):
            share, title = _flat_share(history.checkups[-1], layer), network.titles[layer]
            cause = f"Most units of {title} are at the flat ends of their function, where hardly any gradient comes through."
            evidence = f"{share:.0%} of the units are flat for more than half of the rows (bound {bounds['share']:.0%}) {spell.text}."
            yield Finding("saturated", layer, cause, evidence, share, bounds["share"], spell.since, spell.at)


def _layers_with(history: RunHistory, function: str) -> list[str]:
    return [one.layer for one in history.checkups[-1].functions if one.function == function] if history.checkups else []


def _flat_share(one: Checkup, layer: str) -> float:
    found: FunctionCheckup | None = next((function for function in one.functions if function.layer == layer), None)
    return found.flat_units / found.units if found and found.units else 0.0


def _units(layer: Layer, history: RunHistory, id: str) -> int:
    return next((one.units for one in history.checkups[-1].functions if one.layer == id), 0)
