"""Where a node stands, as a way that leads there: "lstm › t = 2 › forget gate › z_f"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import NamedTuple

from nnviz.records.trace_record import NodeRecord

_PLAIN = {
    "self_attn": "self-attention",
    "multihead_attn": "attention",
    "attn": "attn",
    "out_proj": "output projection",
    "in_proj": "Q K V projection",
    "log_variance": "log σ²",
}
"""Groups that torch names for itself."""
_TIME = re.compile(r"t=(\d+)")


class Crumb(NamedTuple):
    """One part of the way. `depth`: how many of the node's groups lead to it; 0 for the whole, None for the node itself."""

    text: str
    depth: int | None = None


def trail(node: NodeRecord, name: str, titles: Mapping[str, str], root: str = "", depth: int | None = None) -> tuple[Crumb, ...]:
    """Return the way to a node, or to the group around it that `depth` of its groups lead to. A number stands with what it counts: h.0."""
    crumbs = [Crumb(root, 0)] if root else []
    groups = node.group if depth is None else node.group[:depth]
    for place, part in enumerate(groups, 1):
        text = group_title(titles.get(part, part) if place == 1 else part)
        if part.isdigit() and place > 1:
            crumbs[-1] = Crumb(f"{crumbs[-1].text}.{text}", place)
        else:
            crumbs.append(Crumb(text, place))
    if depth is not None:
        return tuple(crumbs)
    is_alone = len(crumbs) > 1 and crumbs[-1].text == name  # a group that is called as what it is made for
    return (*crumbs[:-1], Crumb(name)) if is_alone else (*crumbs, Crumb(name))


def moment(node: NodeRecord) -> int | None:
    """Return the time step that a node stands in; None outside of all."""
    found = next((match for part in node.group if (match := _TIME.fullmatch(part.partition("#")[0]))), None)
    return int(found[1]) if found else None


def group_title(part: str) -> str:
    """Return what the screen calls one group: "t = 2", "self-attention", "cell, call 2"."""
    part, _, call = part.partition("#")
    moment = _TIME.fullmatch(part)
    text = f"t = {moment[1]}" if moment else _PLAIN.get(part, part.replace("_", " "))
    return f"{text}, call {call}" if call else text


def source(node: NodeRecord) -> str:
    """Return "file.py:66" for the line of code that made a node; empty where none did."""
    return PurePath(node.where).name
