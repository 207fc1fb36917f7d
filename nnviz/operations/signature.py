"""The arguments of a torch function by name, and which of their values its formula is true of."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

Given = Mapping[str, Any]
"""What a call was given, by name; every tensor is an `Input`."""
_SAME = {"other": "b", "x2": "b", "axis": "dim", "keepdims": "keepdim"}
"""Names that torch has for the same argument."""
_FIRST = {"input", "x", "a", "x1"}
"""And for the first one."""


class Input(msgspec.Struct, frozen=True):
    """Stands in a call where a tensor stood: which of the node's inputs it is, its shape, and its kind as numpy's letter (f i u b c)."""

    number: int
    shape: tuple[int, ...]
    kind: str


@dataclass(frozen=True)
class Signature:
    """The arguments of a torch function."""

    names: tuple[str, ...]
    letters: Mapping[str, str]
    """What the formula calls those that have another letter in it."""
    fixed: Mapping[str, Any]
    """The only value that the formula is true of, for those that do not stand in it."""

    def bind(self, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
        """Return every argument by its name."""
        given = dict(zip(self.names, arguments, strict=False))
        for name, part in keywords.items():
            given[self._own(name)] = part
        return given

    def _own(self, name: str) -> str:
        if name in self.names:
            return name
        return self.names[0] if name in _FIRST else _SAME.get(name, name)

    def is_kept(self, given: Given) -> bool:
        """Return whether every argument that the formula leaves out has the value it is true of."""
        return not self.fixed or all(given.get(name) is None or given[name] == value for name, value in self.fixed.items())

    def letter(self, name: str) -> str:
        """Return what the formula calls an argument."""
        return self.letters.get(name, name)


def signature(text: str) -> Signature:
    """Return the signature written "x weight:W alpha=1": names, behind a colon the letter, behind = the only value that is meant."""
    parts = [part.partition("=") for part in text.split()]
    named = [(*name.partition(":")[::2], value) for name, _, value in parts]
    return Signature(
        tuple([name for name, _, _ in named]),
        {name: letter for name, letter, _ in named if letter},
        {name: ast.literal_eval(value) for name, _, value in named if value},
    )


def inputs_in(part: Any) -> list[Input]:
    """Return the tensors of an argument, in order."""
    if isinstance(part, Input):
        return [part]
    return [found for one in part for found in inputs_in(one)] if isinstance(part, (tuple, list)) else []


def is_complex(given: Given) -> bool:
    """Return whether a call was given complex numbers."""
    return any([_is_complex(part) for part in given.values()])


def _is_complex(part: Any) -> bool:
    if isinstance(part, (tuple, list)):
        return any([tensor.kind == "c" for tensor in inputs_in(part)])
    return part.kind == "c" if isinstance(part, Input) else isinstance(part, complex)


def spread_shape(given: Given) -> tuple[int, ...]:
    """Return the shape to which the tensors of a call are spread. Raises ValueError where they do not fit."""
    shapes = {tensor.shape for part in given.values() for tensor in inputs_in(part)}
    return shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*shapes)
