"""How a document says what is wrong with it: the place, what is wrong there, the cure, and the fix that makes it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec


class FixStep(msgspec.Struct, frozen=True):
    """One call of a pure edit: the name it has in edits, and its keyword arguments."""

    edit: str
    arguments: tuple[tuple[str, Any], ...]


class Fix(msgspec.Struct, frozen=True):
    """A cure that can be had at one click: what the button says, and the edits that `edits.apply_fix` makes."""

    label: str
    steps: tuple[FixStep, ...]


def step(edit: str, **arguments: Any) -> FixStep:
    """Return one call of an edit."""
    return FixStep(edit, tuple(arguments.items()))


def fix(label: str, *steps: FixStep) -> Fix:
    """Return a cure out of these calls, made one after the other."""
    return Fix(label, steps)


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong: where, what, and what to do about it."""

    place: str
    """Where in the document, as `network.layers[2].p`."""
    message: str
    cure: str
    layer: str = ""
    """Id of the layer that causes it; empty if none does."""
    fix: Fix | None = None
    """An edit that cures it; None where only a person can tell what is meant."""
    severity: Literal["error", "warning"] = "error"
    """error: it cannot be run · warning: it runs, and is likely to be a mistake."""

    def __str__(self) -> str:
        return f"{self.place}: {self.message} {self.cure}"


def told(problem: Problem, titles: Mapping[str, str]) -> str:
    """Return a problem as a person is told it: "Training: …", "Data: …", the layer by its title; then what is wrong and the cure."""
    part = _PARTS.get(problem.place.partition(".")[0], "Network")
    return f"{titles.get(problem.layer, problem.layer) or part}: {problem.message} {problem.cure}"


_PARTS = {"training": "Training", "data": "Data"}
"""What the parts of a document are called on the screen; the rest is the network."""


class Refused(ValueError):
    """A value or an edit the document does not take. Its text is the message and the cure."""

    def __init__(self, message: str, cure: str) -> None:
        super().__init__(f"{message} {cure}")
        self.message = message
        self.cure = cure


def shown(value: Any) -> str:
    """Return the value as a document would write it, cut to a few words."""
    if isinstance(value, list | dict) and len(value) > 20:
        return f"a {'list' if isinstance(value, list) else 'group'} of {len(value):,} entries"
    try:
        text = json.dumps(value, ensure_ascii=True, default=repr)
    except (ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= 60 else text[:57] + "..."


def listed(names: Iterable[str]) -> str:
    """Return the names (the first 40) as a list in a sentence; "nothing" if there are none."""
    names = list(names)
    return ", ".join(names[:40] + ["…"] * (len(names) > 40)) or "nothing"


def offered(name: str, names: Iterable[str]) -> str:
    """Return a cure for a name that does not exist: the nearest one that does, or all there are."""
    names = list(names)
    near = difflib.get_close_matches(name[:60], names, 1)
    return f"Did you mean {near[0]}? There is: {listed(names)}." if near else f"There is: {listed(names)}."


def likely(name: str, names: Iterable[str]) -> str:
    """Return the name that exists and is nearest to one that does not; the first where none is near."""
    names = list(names)
    return next(iter(difflib.get_close_matches(name[:60], names, 1)), names[0])
