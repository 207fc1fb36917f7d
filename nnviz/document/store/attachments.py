"""What stands in a document beside network, data and training, read from JSON: breakpoints and locks. The reader is json_text.py's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nnviz.document import breakpoints
from nnviz.document.breakpoints import Breakpoint
from nnviz.document.problems import shown

if TYPE_CHECKING:
    from nnviz.document.store.json_text import _Reader


def read_breakpoint(reader: _Reader, value: Any, place: str) -> Breakpoint | None:
    """Return one breakpoint; None, with the fault noted, if it is none."""
    kind = reader.kind(value, place, breakpoints.KINDS)
    if kind is None:
        return None
    fields = (*kind.fields, breakpoints.SWITCH)
    values = reader.group(value, place, ("kind", *(field.name for field in fields)))
    found = Breakpoint(kind.name, **reader.fields(values, place, fields))
    if found.is_at_a_place and values.get("target", "") == "":
        reader.wrong(f"{place}.target", "It names nothing.", f"Write the {kind.field('target').explanation}.")
    return found


def read_locks(reader: _Reader, value: Any) -> dict[str, Any]:
    """Return the locked parameters: True, or the indices of locked elements, by name."""
    kept = {}
    for name, locks in reader.group(value, "locks").items():
        if locks is True or (isinstance(locks, list) and locks and all(_is_index(index) for index in locks)):
            kept[name.encode(errors="replace").decode()] = locks
        else:
            reader.wrong(f"locks.{name[:80]}", f"{shown(locks)} locks nothing.", "Write true, or a list of indices as [[0, 1]].")
    return kept


def _is_index(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(place) is int and 0 <= place < 2**31 for place in value)
