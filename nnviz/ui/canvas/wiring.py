"""Which links may be drawn. Pure; it only keeps a person from trying what an edit would refuse."""

from __future__ import annotations

from nnviz.document.catalog import LAYERS
from nnviz.document.network import Network


def can_link(network: Network, source: str, target: str) -> bool:
    """Return whether a link from source to target would be new, close no cycle and find an input: a free one, or the only one there is."""
    if source == target or not network.has(source) or not network.has(target) or target in network.outputs_of(source):
        return False
    _, most = LAYERS[network.layer(target).kind].inputs
    if most is not None and most != 1 and len(network.inputs_of(target)) >= most:
        return False
    return source not in descendants(network, target)


def targets_of(network: Network, source: str) -> tuple[str, ...]:
    """Return the layers a link from `source` may go to."""
    return tuple(layer.id for layer in network if can_link(network, source, layer.id))


def descendants(network: Network, id: str) -> set[str]:
    """Return every layer that depends on this one."""
    found: set[str] = set()
    waiting = [id]
    while waiting:
        for target in network.outputs_of(waiting.pop()):
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found
