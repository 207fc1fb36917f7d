"""What is said of the first divergence of two runs: "iteration 41, backward, linear of dense 2, row 7", and what differs there."""

from __future__ import annotations

from collections.abc import Mapping

from nnviz.records.divergence_record import Divergence
from nnviz.text import names, numbers
from nnviz.text.numbers import shape

Titles = Mapping[str, str]
"""What the screen calls every layer, by id."""
RUNS = ("the first run", "the second")


def heading(found: Divergence, titles: tuple[Titles, Titles]) -> str:
    """Return where it is. `titles`: of both documents."""
    when = f"iteration {found.iteration:,}" if found.iteration else "before iteration 1"
    phase = {"start": "the start", "after": "after its update"}.get(found.phase, found.phase)
    where = next(filter(None, _called(found, titles, "node")), "")
    row = "" if found.row is None else f"row {found.row}"
    return ", ".join(filter(None, (when, phase, where, row)))


def details(found: Divergence, titles: tuple[Titles, Titles]) -> str:
    """Return what differs there, with the numbers of both runs."""
    if found.what == "precision":
        return f"{_both(found.reasons)}: no bits can be the same."
    if found.what == "stop":
        return " ".join(f"{run.capitalize()} cannot make it: {why}" for run, why in zip(RUNS, found.reasons, strict=True) if why)
    if found.what == "rows":
        return f"The batch has other training rows with the same numbers: {_both([str(place.row) for place in found.places])}."
    if found.what == "graph":
        return _parted(found, titles)
    subject = _subject(found, titles)
    if _have_other_shapes(found):
        return f"{subject} has another shape: {_both([shape(place.shape) for place in found.places])}."
    return f"{subject}: {_compared(found)}."


def _called(found: Divergence, titles: tuple[Titles, Titles], which: str) -> list[str]:
    """What both runs call the node, or the one it sends a gradient to; empty where a run has none."""
    called = []
    for place, trace, of_run in zip(found.places, found.traces, titles, strict=False):
        node = getattr(place, which)
        called.append("" if node is None else names.qualified(trace.nodes[node], names.names(trace), of_run))
    return called or [
        names.parameter_title(place.symbol, of_run) if place.symbol else "" for place, of_run in zip(found.places, titles, strict=True)
    ]


def _parted(found: Divergence, titles: tuple[Titles, Titles]) -> str:
    called = _called(found, titles, "node")
    if called[0] == called[1] and _have_other_shapes(found):
        return f"From here on other things are computed: it is {_both([shape(place.shape) for place in found.places])}."
    if called[0] == called[1]:
        return "From here on other things are computed: it is made of other values."
    return f"From here on other things are computed: {_both([name or 'nothing more' for name in called])}."


def _subject(found: Divergence, titles: tuple[Titles, Titles]) -> str:
    symbol = next((place.symbol for place in found.places if place.symbol), "")
    called = next(filter(None, _called(found, titles, "node")), "")
    if found.what == "gradient":
        return f"The gradient that goes to {next(filter(None, _called(found, titles, 'receiver')))}"
    if found.what == "row":
        return "The updated value" if symbol == "after" else f"The line {symbol}"
    return "Its value" if found.traces else f"The value of {called}"


def _have_other_shapes(found: Divergence) -> bool:
    one, other = (place.shape for place in found.places)
    return one is not None and other is not None and one != other


def _compared(found: Divergence) -> str:
    lacking = [place.shape is None for place in found.places]
    if any(lacking):
        return f"only {RUNS[lacking[0]]} has it"
    values = _both(apart(*(place.value for place in found.places)))
    if found.elements == 1:
        return values
    element = f"[{', '.join(map(str, found.element))}]"
    others = f"{found.differing:,} of {found.elements:,} elements differ" if found.differing > 1 else "no other element differs"
    return f"{values} at {element}; {others}" + (", this one most" if found.differing > 1 else "")


def _both(texts: list[str] | tuple[str, ...]) -> str:
    return f"{texts[0]} in {RUNS[0]}, {texts[1]} in {RUNS[1]}"


def apart(one: float, other: float) -> tuple[str, str]:
    """Return two numbers in 4 significant digits, or in as many more as tell them apart."""
    for digits in range(4, 18):
        texts = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return numbers.signed(texts[0]), numbers.signed(texts[1])
