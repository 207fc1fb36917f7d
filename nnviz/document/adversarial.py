"""The two sides of a network that is trained against itself, and which of them an iteration is for."""

from __future__ import annotations

from typing import NamedTuple

from nnviz.document.network import Network, reached

RANDOM, MEETING = "random", "real_or_generated"
"""Kinds of the layers at which the generator begins, and at which its points meet the rows of the data."""
TARGET = "adversarial"
"""The value of `training.target` that trains two sides in turn."""
DISCRIMINATOR, GENERATOR = "discriminator", "generator"
CLASSES = ("generated", "real")
"""What the discriminator tells apart, by class number."""


class Sides(NamedTuple):
    """Ids of layers; those of the sides in the order of the document."""

    meeting: str
    random: str
    generated: str
    """What puts out the generated rows."""
    generator: tuple[str, ...]
    """From the random numbers to the generated rows."""
    discriminator: tuple[str, ...]
    """Behind the meeting."""


def sides(network: Network) -> Sides | None:
    """Return both sides of a network; None where it has not exactly one meeting, of the input and of what comes from one random layer."""
    meetings, randoms, entries = (_of_kind(network, kind) for kind in (MEETING, RANDOM, "input"))
    if (len(meetings), len(randoms), len(entries)) != (1, 1, 1):
        return None
    outputs = {layer.id: [link.target for link in network.links if link.source == layer.id] for layer in network}
    inputs = {layer.id: list(network.inputs_of(layer.id)) for layer in network}
    behind, drawn = reached(meetings, outputs), reached(randoms, outputs)
    others = [source for source in inputs[meetings[0]] if source != entries[0]]
    if len(others) != 1 or len(inputs[meetings[0]]) != 2:
        return None
    before = reached(others, inputs) & drawn
    generator = tuple(layer.id for layer in network if layer.id in before and layer.id != randoms[0])
    discriminator = tuple(layer.id for layer in network if layer.id in behind and layer.id != meetings[0])
    strays = any(not set(inputs[id]) <= before for id in generator) or any(not set(inputs[id]) <= behind for id in discriminator)
    return None if strays or others[0] not in before else Sides(meetings[0], randoms[0], others[0], generator, discriminator)


def turn(iteration: int) -> str:
    """Return the side that the iteration behind so many finished ones is for: the discriminator's comes first, then they alternate."""
    return GENERATOR if iteration % 2 else DISCRIMINATOR


def _of_kind(network: Network, kind: str) -> list[str]:
    return [layer.id for layer in network if layer.kind == kind]
