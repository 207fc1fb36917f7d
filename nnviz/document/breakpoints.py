"""Where stepping and training stop: what a breakpoint is, its kinds, when each holds, and how that is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from nnviz.document.catalog import Field, Kind
from nnviz.document.network import split_parameter

MOST_BREAKPOINTS = 100


class Breakpoint(msgspec.Struct, frozen=True):
    """One condition under which stepping and training stop."""

    kind: str
    """node · parameter · non_finite · gradient · activation · loss_rising"""
    target: str = ""
    """A node as its groups and its label, `h1/relu`, with `#2` for the second of that name; a parameter as `h1.weight`; a layer as `h1`.

    Empty means any. A name says the same in every trace, and a network that has none such simply never stops there.
    """
    comparison: str = "above"
    """above · below"""
    threshold: float = 0.0
    enabled: bool = True

    @property
    def is_at_a_place(self) -> bool:
        """Whether it holds in every iteration, wherever the cursor comes to its target."""
        return self.kind in ("node", "parameter")

    @property
    def layer(self) -> str:
        """The id of the layer its target lies in; empty where it looks at all."""
        return self.target.partition("/" if self.kind == "node" else ".")[0]

    def covers(self, place: str) -> bool:
        """Return whether a layer (`h1`) or a parameter (`h1.weight`) is among those it looks at."""
        return not self.target or place == self.target or place.startswith(f"{self.target}.")

    def is_beyond(self, value: float) -> bool:
        """Return whether a magnitude is on the wrong side of the threshold. NaN is on neither side."""
        return value < self.threshold if self.comparison == "below" else value > self.threshold

    def holds(self, number: float | None, previous_loss: float | None = None) -> bool:
        """Return whether it stops at a place with this number. `previous_loss`: of the iteration before; None or NaN for the first."""
        return CONDITIONS[self.kind].holds(self, number, previous_loss)


_TARGET = Field("target", "text", "", "the layer or parameter it looks at; empty looks at all")
_COMPARISON = Field("comparison", "choice", "above", "which side of the threshold stops", choices=("above", "below"), essential=True)
_THRESHOLD = Field("threshold", "number", 1.0, "the largest |value| of a tensor is compared with it", 0.0, 1e300, essential=True)

KINDS = {
    kind.name: kind
    for kind in (
        Kind("node", "Node", "stops when the cursor comes to a node, forward and backward",
             (Field("target", "text", "", "groups and label of the node, as h1/relu", essential=True),)),
        Kind("parameter", "Parameter", "stops when a parameter's gradient is complete, and when it is updated",
             (Field("target", "text", "", "name of the parameter, as h1.weight", essential=True),)),
        Kind("non_finite", "First non-finite value", "stops where a value or gradient is NaN or infinite for the first time"),
        Kind("gradient", "|gradient|", "stops when the largest |∂L/∂θ| of a parameter passes a number", (_TARGET, _COMPARISON, _THRESHOLD)),
        Kind("activation", "|activation|", "stops when the largest |a| of a layer's output passes a number",
             (_TARGET, _COMPARISON, _THRESHOLD)),
        Kind("loss_rising", "Loss rising", "stops when the loss of an iteration is higher than that of the one before",
             (Field("threshold", "number", 0.0, "the loss must have risen by more than this", 0.0, 1e300),)),
    )
}  # fmt: skip

SWITCH = Field("enabled", "boolean", True, "whether it stops anything")
"""What every breakpoint has besides the fields of its kind."""


class Condition(NamedTuple):
    """When breakpoints of a kind hold, and how that is said."""

    holds: Callable[[Breakpoint, float | None, float | None], bool]
    """(breakpoint, the number found at a place, the loss of the iteration before) -> whether it stops there."""
    described: Callable[[Breakpoint, Mapping[str, str]], str]
    """(breakpoint, titles of the layers) -> what it stops at, in a few words."""
    found: str = ""
    """What is said of the number and of where it was found; empty where it holds whatever the number."""
    is_first_only: bool = False
    """Whether it stops once in an iteration: behind the first such place all that depends on it is spoiled."""


def _is_beyond(one: Breakpoint, number: float | None, previous_loss: float | None) -> bool:
    return number is not None and one.is_beyond(number)


def _has_risen(one: Breakpoint, number: float | None, previous_loss: float | None) -> bool:
    return number is not None and previous_loss is not None and number > previous_loss + one.threshold


def _node(one: Breakpoint, titles: Mapping[str, str]) -> str:
    path, _, number = one.target.partition("#")
    *groups, label = path.split("/")
    return " ".join(filter(None, (label, number, f"of {' · '.join(titles.get(group, group) for group in groups)}" if groups else "")))


def _magnitude(one: Breakpoint, titles: Mapping[str, str]) -> str:
    where = f" in {titled(one.target, titles)}" if one.target else ""
    return f"|{one.kind}| {'<' if one.comparison == 'below' else '>'} {one.threshold:g}{where}"


def _loss(one: Breakpoint, titles: Mapping[str, str]) -> str:
    return f"loss rising by more than {one.threshold:g}" if one.threshold else "loss rising"


CONDITIONS = {
    "node": Condition(lambda one, number, previous_loss: True, _node),
    "parameter": Condition(lambda one, number, previous_loss: True, lambda one, titles: titled(one.target, titles)),
    "non_finite": Condition(
        lambda one, number, previous_loss: bool(number),
        lambda one, titles: "first non-finite value",
        "{where}, {number:.0f} element{s}",
        is_first_only=True,
    ),
    "gradient": Condition(_is_beyond, _magnitude, "{number:.4g} in {where}"),
    "activation": Condition(_is_beyond, _magnitude, "{number:.4g} in {where}"),
    "loss_rising": Condition(_has_risen, _loss, "{number:.4g}"),
}
"""By kind. The number is the largest magnitude of a tensor, the loss, or how many elements are not finite."""


def titled(place: str, titles: Mapping[str, str]) -> str:
    """Return a layer or parameter as the screen calls it: "h1.weight" is "dense 1.weight"."""
    layer, tensor = split_parameter(place)
    title = titles.get(layer, layer)
    return f"{title}.{tensor}" if tensor else title


def described(breakpoint: Breakpoint, titles: Mapping[str, str]) -> str:
    """Return what it stops at, in a few words: "relu of dense 1", "|gradient| > 5". `titles`: layer id -> name on the screen."""
    return CONDITIONS[breakpoint.kind].described(breakpoint, titles)


def reason(breakpoint: Breakpoint, place: str, value: float | None, titles: Mapping[str, str]) -> str:
    """Return why it has stopped something: "|gradient| > 5: 7.314 in dense 1.weight"."""
    found = CONDITIONS[breakpoint.kind].found
    if not found or value is None:
        return described(breakpoint, titles)
    said = found.format(number=value, where=titled(place, titles), s="s" * (value != 1))
    return f"{described(breakpoint, titles)}: {said}"
