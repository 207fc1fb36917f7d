"""What is supposed, in words: one what-if as "dense 1.W[0,1] = 0.7", and what it means for the chain rule."""

from __future__ import annotations

from collections.abc import Mapping

from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import NodeRecord, WhatIf
from nnviz.text import names, numbers


def described(what_if: WhatIf, index: TraceIndex, titles: Mapping[str, str]) -> str:
    """Return one what-if in the least words: "dense 1.W[0,1] = 0.7", "dense 1.relu × 0.5", "dense 1.relu ablated"."""
    node = index.node(what_if.node)
    name = ".".join(filter(None, (names.where(node, titles), names.name(node)))) + _place(what_if)
    if what_if.kind == "ablate":
        return f"{name} ablated"
    return f"{name} {'×' if what_if.kind == 'scale' else '='} {numbers.number(what_if.value)}"


def _place(what_if: WhatIf) -> str:
    if not what_if.element:
        return ""
    return f"[{','.join(':' if place is None else str(place) for place in what_if.element)}]"


def all_described(index: TraceIndex, titles: Mapping[str, str]) -> str:
    """Return everything that is supposed, in the order it was."""
    return ", ".join(described(what_if, index, titles) for what_if in index.trace.what_ifs)


def losses(index: TraceIndex) -> str:
    """Return "loss 0.2134 → 0.1988"; the one there is, where it is not known what it was."""
    if index.original is None:
        return f"loss {numbers.number(index.trace.loss)}"
    return f"loss {numbers.number(index.truth.trace.loss)} → {numbers.number(index.trace.loss)}"


def meaning(node: NodeRecord, what_ifs: tuple[WhatIf, ...], of_module: bool = False) -> str:
    """Return what it means for the gradients that this is supposed of a node; empty where nothing is.

    `of_module`: it is a person's own module, which keeps its weights.
    """
    if not what_ifs:
        return ""
    if of_module and node.kind not in ("operation", "loss"):
        return "Another value for this iteration only; the module keeps its own."
    if node.kind == "parameter":
        return "Another value for this iteration only; “keep”, above the graph, makes it the network's."
    if node.kind not in ("operation", "loss"):
        return "Another value for this iteration only; the run keeps its own."
    symbol = names.symbol(node)
    if all(what_if.kind == "scale" for what_if in what_ifs):
        return f"Scaled: the factor belongs to {symbol} now, and to its local derivative."
    made = "it" if any(what_if.element is None for what_if in what_ifs) else "this element"
    return f"Set by hand, like do({symbol}): ∂L/∂{symbol} is what the loss feels here, but nothing flows back into what made {made}."


def local(right: str, what_ifs: tuple[WhatIf, ...]) -> str:
    """Return the text of a local derivative with what is supposed of the node that has it."""
    for what_if in what_ifs:
        if what_if.kind == "scale":
            right = f"{numbers.number(what_if.value)} · {right}" if what_if.element is None else f"{right}, scaled in places"
        else:
            right = "0: set by hand" if what_if.element is None else f"{right}, 0 where set"
    return right


def covers(what_if: WhatIf, element: tuple[int | None, ...]) -> bool:
    """Return whether an element of the node is among those that are changed."""
    return all(mine is None or mine == its for mine, its in zip(what_if.element or (), element, strict=False))


def touches(what_if: WhatIf, element: tuple[int | None, ...]) -> bool:
    """Return whether any of what an element stands for (None: all rows) is changed."""
    return all(None in (mine, its) or mine == its for mine, its in zip(what_if.element or (), element, strict=False))
