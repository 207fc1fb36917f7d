"""The network a person drew: layers and the links between them, as plain frozen values."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import count
from typing import Any, NamedTuple

import msgspec


class Choice(msgspec.Struct, frozen=True):
    """One kind out of a catalog table, with a value for every field of that kind (an optimizer, a data set, a schedule)."""

    kind: str
    settings: dict[str, Any] = {}

    def __getitem__(self, field: str) -> Any:
        return self.settings[field]


class Layer(msgspec.Struct, frozen=True):
    """One layer on the canvas. `settings` holds a value for every field its kind has in the catalog."""

    id: str
    kind: str
    settings: dict[str, Any] = {}
    name: str = ""
    frozen: bool = False
    initializer: str = "default"
    gain: float = 1.0
    """Multiplies the weights the initializer draws."""
    learning_rate_factor: float = 1.0
    """Multiplies the optimizer's learning rate for the parameters of this layer."""

    def __getitem__(self, field: str) -> Any:
        return self.settings[field]

    @property
    def title(self) -> str:
        """What the screen calls this layer: the name a person gave it, else its id."""
        return self.name or self.id


class Link(msgspec.Struct, frozen=True, array_like=True):
    """The output of layer `source` goes into layer `target`."""

    source: str
    target: str


class ParameterName(NamedTuple):
    """A parameter's name in its two parts: "h1.weight" is the tensor "weight" of the layer "h1". A tensor may have dots of its own."""

    layer: str
    tensor: str


def split_parameter(name: str) -> ParameterName:
    """Return the layer and the tensor a parameter's name is made of."""
    layer, _, tensor = name.partition(".")
    return ParameterName(layer, tensor)


def free_id(kind: str, taken: Container[str]) -> str:
    """Return the kind and the first number that make an id which is not taken."""
    return next(id for number in count(1) if (id := f"{kind}{number}") not in taken)


def reached(starts: Iterable[str], following: Mapping[str, Iterable[str]]) -> set[str]:
    """Return these layers and all that a way along `following` leads to from them."""
    found, ahead = set(), list(starts)
    while ahead:
        if (id := ahead.pop()) not in found:
            found.add(id)
            ahead += following[id]
    return found


class Network(msgspec.Struct, frozen=True, dict=True):
    """Layers in the order they were placed, and links in the order they were drawn (which is the order of a layer's inputs)."""

    layers: tuple[Layer, ...] = ()
    links: tuple[Link, ...] = ()

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @cached_property
    def titles(self) -> dict[str, str]:
        """What the screen calls every layer, by id."""
        return {layer.id: layer.title for layer in self.layers}

    @cached_property
    def _by_id(self) -> dict[str, Layer]:
        return {layer.id: layer for layer in reversed(self.layers)}

    def layer(self, id: str) -> Layer:
        """Return the layer with this id. Raises KeyError if there is none."""
        return self._by_id[id]

    def has(self, id: str) -> bool:
        """Return whether a layer has this id."""
        return id in self._by_id

    def free_id(self, kind: str) -> str:
        """Return the id of the next layer of this kind: the kind and the first free number, as dense2."""
        return free_id(kind, self._by_id)

    def inputs_of(self, id: str) -> tuple[str, ...]:
        """Return the ids of the layers that feed this one, in the order they were linked."""
        return tuple(link.source for link in self.links if link.target == id)

    def outputs_of(self, id: str) -> tuple[str, ...]:
        """Return the ids of the layers this one feeds, in the order they were linked."""
        return tuple(link.target for link in self.links if link.source == id)

    def in_order(self) -> tuple[Layer, ...]:
        """Return the layers so that each stands behind all its inputs. Layers on a cycle are left out."""
        waiting, following = self._adjacent()
        order: list[Layer] = []
        while ready := [layer for layer in self.layers if layer.id in waiting and not waiting[layer.id]]:
            order += ready
            for id in {layer.id for layer in ready}:
                del waiting[id]
                for target in following[id]:
                    waiting[target].discard(id)
        return tuple(order)

    def depths(self) -> dict[str, int]:
        """Return for each layer the length of the longest path that leads to it (0 for an input). Cycles are left out."""
        depths: dict[str, int] = {}
        sources, _ = self._adjacent()
        for layer in self.in_order():
            depths[layer.id] = 1 + max((depths[source] for source in sources[layer.id] if source in depths), default=-1)
        return depths

    def _adjacent(self) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
        """For each layer those that feed it and those it feeds; links that hang in the air are left out."""
        before: dict[str, set[str]] = {layer.id: set() for layer in self.layers}
        behind: dict[str, set[str]] = {layer.id: set() for layer in self.layers}
        for source, target in ((link.source, link.target) for link in self.links):
            if source in before and target in before:
                before[target].add(source)
                behind[source].add(target)
        return before, behind
