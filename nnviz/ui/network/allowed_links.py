"""Which links may be drawn, and why not. Pure; it only keeps a person from trying what an edit would refuse."""

from __future__ import annotations

from nnviz.document import edits
from nnviz.document.catalog import LAYERS, layer_kind
from nnviz.document.checks.links import LinkIndex
from nnviz.document.experiment import Experiment
from nnviz.document.network import Link, Network, reached
from nnviz.document.problems import Refused
from nnviz.document.shapes.report import Report
from nnviz.document.shapes.rules import RULES


def partners(network: Network, id: str, side: int) -> frozenset[str]:
    """Return the layers a new link from `id` may go to (side 1), or those it may come from (side -1).

    The link must be new, close no circle and find an input: a free one, or the only one there is.
    """
    links = LinkIndex(network)
    if side < 0 and not _takes_more(links, id):
        return frozenset()
    behind, ahead = (links.inputs, links.outputs) if side > 0 else (links.outputs, links.inputs)
    excluded = reached([id], behind) | set(ahead[id])
    return frozenset(other for other in links.layers if other not in excluded and (side < 0 or _takes_more(links, other)))


def descendants(network: Network, id: str) -> set[str]:
    """Return every layer that depends on this one."""
    outputs = LinkIndex(network).outputs
    return reached(outputs.get(id, ()), outputs)


def obstacle(experiment: Experiment, source: str, target: str, link: Link | None = None) -> str:
    """Return why this link, new or in the place of another one, cannot be; empty if it can."""
    try:
        if link is None:
            edits.connect_layers(experiment, source, target, replace_link=True)
        else:
            edits.reconnect_link(experiment, link, source, target)
    except edits.Refused as refused:
        return refused.message
    return ""


def size_problem(network: Network, report: Report, source: str, target: str) -> str:
    """Return why the target could not take what the source puts out beside its other inputs; empty if it can, or if sizes are not known.

    Such a link may be drawn all the same: the problem then stands at the layer, with its cure.
    """
    layer = network.layer(target)
    if layer.kind not in LAYERS or layer.kind not in RULES:
        return ""
    fewest, most = LAYERS[layer.kind].inputs
    ids = [source] if most == 1 else [*(id for id in network.inputs_of(target) if id != source), source]
    shapes = [report.layers[id].output_shape if id in report.layers else None for id in ids]
    if None in shapes or len(shapes) < fewest:
        return ""
    try:
        RULES[layer.kind](layer, *shapes)
    except Refused as refused:
        return refused.message
    return ""


def _takes_more(links: LinkIndex, id: str) -> bool:
    most = layer_kind(links.layers[id].kind).inputs[1]
    return most is None or most == 1 or len(links.inputs[id]) < most
