"""Which nodes a few typed words mean: part of a name, an operation, a layer or a shape. Pure; it knows no widget."""

from __future__ import annotations

from collections.abc import Mapping

from nnviz.records.trace_record import NodeRecord, TraceRecord
from nnviz.text import names, numbers


def matches(trace: TraceRecord, text: str, titles: Mapping[str, str]) -> tuple[int, ...]:
    """Return the nodes, in forward order, of which every word of the text tells something. An empty text means none."""
    words = text.lower().split()
    named = names.names(trace)
    return tuple(node.id for node in trace.nodes if words and all(_tells(word, _said(node, named[node.id], titles)) for word in words))


def _said(node: NodeRecord, name: str, titles: Mapping[str, str]) -> tuple[str, ...]:
    layers = [titles.get(part, part) for part in node.group]
    texts = (name, node.label, node.operation, node.kind, *layers, node.module, numbers.shape(node.shape))
    return tuple(text.lower() for text in texts)


def _tells(word: str, said: tuple[str, ...]) -> bool:
    """Shapes may be typed with an x."""
    shape = word.replace("x", "×") if any(sign.isdigit() for sign in word) else word
    return any(word in text or shape in text for text in said)
