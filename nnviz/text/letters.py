"""The letters of one node's formula: those of the table of operations, replaced by the names of what really stands there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nnviz.records.trace_record import NodeRecord
from nnviz.text import names
from nnviz.text.trails import moment

_SINGLE = re.compile(r"(?<![A-Za-z_])(∂?)([A-Za-z])(?![A-Za-z_])")
"""A letter that stands alone, and whether it is what is derived by."""
_GENERIC = frozenset(["a", "b", "A", "B"])
"""Letters that say nothing: an operand, whichever."""
_POWERS = (("e⁻ᶻ", "e^(−z)"), ("eᶻ", "e^z"), ("eˣ", "e^x"))
_SUBSCRIPTS = "₁₂₃₄₅₆₇₈₉"
_TEXTBOOK = frozenset(["μ", "σ", "ε", "σ·ε", "log σ²", "½ log σ²"])
"""Names that are letters."""
_LONGEST = 12


class Letters(NamedTuple):
    """Old letters and those that are written instead: of the node's own value, and of every input."""

    old_own: str
    own: str
    old_inputs: tuple[str, ...]
    inputs: tuple[str, ...]

    def written(self, text: str) -> str:
        """Return a formula of the table with these letters."""
        new = dict(zip(self.old_inputs, self.inputs, strict=True)) | {self.old_own: self.own}
        if all(letter == other for letter, other in new.items()):
            return text
        for power, plain in _POWERS:
            text = text.replace(power, plain)

        def one(found: re.Match) -> str:
            letter = new.get(found[2], found[2])
            is_bracketed = " " in letter and (found[1] or "−" in letter or "+" in letter)
            return f"{found[1]}({letter})" if is_bracketed else f"{found[1]}{letter}"

        return _SINGLE.sub(one, text)


def letters(nodes: Sequence[NodeRecord], node: NodeRecord, named: Mapping[int, str]) -> Letters:
    """Return the letters of a node. `named`: what all nodes are called; a neuron keeps the letters that it has."""
    old = tuple(_old(nodes, node, argument) for argument in range(len(node.inputs)))
    own = names.symbol(node)
    called = named.get(node.id, "")
    is_letter = ("_" in called and " " not in called) or called in _TEXTBOOK or called == "z"
    new_own = called if node.whole is None and is_letter and node.kind == "operation" else own
    if node.whole is not None or len(set(old)) < len(set(node.inputs)):
        return Letters(own, own, old, old)
    found = [_new(node, nodes[id], letter, named) for id, letter in zip(node.inputs, old, strict=True)]
    return Letters(own, new_own, old, _distinct(node.inputs, found, new_own))


def _old(nodes: Sequence[NodeRecord], node: NodeRecord, argument: int) -> str:
    equation = node.equations[argument] if node.equations else None
    return equation.symbol if equation else names.letter(nodes[node.inputs[argument]], node)


def _new(node: NodeRecord, source: NodeRecord, old: str, named: Mapping[int, str]) -> str:
    """A textbook's name where the input has one, c₋ for the c of the time step before; its own letter where the formula says a or b."""
    called = named.get(source.id, "")
    if called.endswith("_t") and moment(source) != moment(node):  # x_t is made in front of all time steps
        return called if None in (moment(source), moment(node)) else called.removesuffix("_t") + "₋"
    if "_" in called and source.kind in ("operation", "parameter") and len(called) <= _LONGEST and called != source.label:
        return called
    if called in _TEXTBOOK or (" · " in called and len(called) <= _LONGEST):
        return called
    if old not in _GENERIC:
        return old
    return called if called == "mask" else names.letter(source)


def _distinct(inputs: Sequence[int], found: Sequence[str], own: str) -> tuple[str, ...]:
    """The letters, numbered where two inputs, or an input and the result, would have the same."""
    several = {letter for letter in found if letter == own or len({id for id, one in zip(inputs, found, strict=True) if one == letter}) > 1}
    numbers: dict[tuple[str, int], int] = {}
    for id, letter in zip(inputs, found, strict=True):
        if letter in several and (letter, id) not in numbers:
            numbers[letter, id] = sum(one == letter for one, _ in numbers)
    return tuple(f"{one}{_SUBSCRIPTS[numbers[one, id] % 9]}" if one in several else one for id, one in zip(inputs, found, strict=True))
