"""Locked weights: single elements or whole parameters that training leaves as they are, to the bit.

`Experiment.locks` holds for a parameter's name either True or the indices of its locked elements. Freezing a layer is another thing: a
frozen layer has no gradient, a locked weight has one that is shown and not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nnviz.document.experiment import Experiment
from nnviz.document.network import split_parameter
from nnviz.document.problems import Problem, offered

Index = tuple[int, ...]


def is_locked(experiment: Experiment, parameter: str, index: Index | None = None) -> bool:
    """Return whether an element is locked; without an index, whether all of the parameter is."""
    locks = experiment.locks.get(parameter, [])
    return locks is True or (index is not None and locks is not False and list(index) in locks)


def is_inside(index: Iterable[int], shape: tuple[int, ...]) -> bool:
    """Return whether a parameter of this shape has such an element."""
    index = tuple(index)
    return len(index) == len(shape) and all(0 <= place < size for place, size in zip(index, shape, strict=True))


def lock_problem(name: str, value: Any, known: Mapping[str, tuple[int, ...]]) -> Problem | None:
    """Return what is wrong with what is locked of a parameter, if anything is; `known` holds the shape of every parameter."""
    place = f"locks.{name}"
    if name not in known:
        return Problem(place, "No parameter has this name.", offered(name, known))
    outside = [index for index in ([] if value is True else value) if not is_inside(index, known[name])]
    if not outside:
        return None
    shape = list(known[name])
    return Problem(place, f"{name} has no element {outside[0]}.", f"Its shape is {shape}; count from 0.", split_parameter(name).layer)
