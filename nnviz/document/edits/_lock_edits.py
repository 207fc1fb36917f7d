"""Edits of what is locked. Pure functions Experiment -> Experiment; each raises Refused, with why not and the cure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from math import prod

from nnviz.document.experiment import Experiment
from nnviz.document.locks import Index, is_inside
from nnviz.document.problems import Refused, offered
from nnviz.document.shapes.report import examine

MOST_LOCKED = 4096
"""So many elements of one parameter can be locked one by one."""


def lock_parameter(experiment: Experiment, parameter: str, locked: bool = True) -> Experiment:
    """Return the experiment with all of a parameter (`layer id.tensor`) locked, or none of it."""
    _shape(experiment, parameter)
    return _with(experiment, parameter, True if locked else [])


def lock_weights(experiment: Experiment, parameter: str, indices: Iterable[Index], locked: bool = True) -> Experiment:
    """Return the experiment with these elements of a parameter locked, or free; the others stay as they are."""
    shape = _shape(experiment, parameter)
    chosen = {tuple(index) for index in indices}
    for index in chosen:
        if not is_inside(index, shape):
            raise Refused(f"{parameter} has no element {list(index)}.", f"Its shape is {list(shape)}; count from 0.")
    kept = _indices(experiment, parameter, shape)
    kept = kept | chosen if locked else kept - chosen
    if len(kept) == prod(shape):
        return _with(experiment, parameter, True)
    if len(kept) > MOST_LOCKED:
        raise Refused(f"More than {MOST_LOCKED:,} elements of {parameter} would be locked one by one.", "Lock all of it.")
    return _with(experiment, parameter, sorted(map(list, kept)))


def _shape(experiment: Experiment, parameter: str) -> tuple[int, ...]:
    shapes = examine(experiment).parameters_by_name
    if parameter not in shapes:
        raise Refused(f'No parameter is called "{parameter}".', offered(parameter, shapes))
    return shapes[parameter]


def _indices(experiment: Experiment, parameter: str, shape: tuple[int, ...]) -> set[Index]:
    locks = experiment.locks.get(parameter, [])
    if locks is not True:
        return {tuple(index) for index in locks}
    if prod(shape) > MOST_LOCKED:
        raise Refused(f"All of {parameter} is locked.", "Unlock all of it first.")
    return set(product(*map(range, shape)))


def _with(experiment: Experiment, parameter: str, value: bool | list[list[int]]) -> Experiment:
    others = {name: kept for name, kept in experiment.locks.items() if name != parameter}
    return experiment.replaced(locks=others | {parameter: value} if value else others)
