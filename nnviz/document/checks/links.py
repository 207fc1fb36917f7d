"""A network's links made quick to ask, and what can be wrong with layers and links as such, whatever their shapes."""

from __future__ import annotations

from functools import cached_property

from nnviz.document import catalog
from nnviz.document.network import Layer, Link, Network, reached
from nnviz.document.problems import Fix, Problem, fix, offered, step


class LinkIndex:
    """A network's links made quick to ask: repeated layers and links that hang in the air are left out of all answers."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.order: dict[str, int] = {}
        for index, layer in enumerate(network.layers):
            self.order.setdefault(layer.id, index)
        self.layers = {id: network.layers[index] for id, index in self.order.items()}
        self.inputs: dict[str, list[str]] = {id: [] for id in self.layers}
        self.outputs: dict[str, list[str]] = {id: [] for id in self.layers}
        for link in network.links:
            if link.source in self.layers and link.target in self.layers:
                self.inputs[link.target].append(link.source)
                self.outputs[link.source].append(link.target)

    def place(self, id: str) -> str:
        """Return where the layer stands in a document."""
        return f"network.layers[{self.order[id]}]"

    def title(self, id: str) -> str:
        """Return what the screen calls the layer."""
        return self.layers[id].title

    @cached_property
    def sorted(self) -> list[Layer]:
        """Layers so that each stands behind all its inputs; those on a cycle, and behind one, are missing."""
        waiting = {id: len(sources) for id, sources in self.inputs.items()}
        ready = [id for id, count in waiting.items() if not count]
        for id in ready:
            for target in self.outputs[id]:
                waiting[target] -= 1
                if not waiting[target]:
                    ready.append(target)
        return [self.layers[id] for id in ready]

    @cached_property
    def entries(self) -> list[str]:
        """The input layers."""
        return [id for id, layer in self.layers.items() if layer.kind == "input"]

    @cached_property
    def reached(self) -> set[str]:
        """The layers that data from an input layer gets to."""
        return reached(self.entries, self.outputs)

    @cached_property
    def ends(self) -> list[str]:
        """The layers data gets to and that feed no other, in the order of `sorted`; input layers are none."""
        return [layer.id for layer in self.sorted if layer.id in self.reached and not self.outputs[layer.id] and layer.kind != "input"]

    def behind(self, id: str) -> set[str]:
        """Return the layer and all that its output gets to."""
        return reached([id], self.outputs)

    def branch(self, end: str) -> list[str]:
        """Return the layers that lead to this end and to nothing else; input layers are none."""
        alone = {end}
        for layer in reversed(self.sorted):
            if layer.kind != "input" and self.outputs[layer.id] and alone.issuperset(self.outputs[layer.id]):
                alone.add(layer.id)
        return [id for id in self.layers if id in alone]

    def deciding(self, id: str) -> str:
        """Return the layer that decides on the shape of this one's output, itself or one before it; empty if none alone does."""
        while id and catalog.layer_kind(self.layers[id].kind).keeps_shape:
            id = self.inputs[id][0] if len(self.inputs[id]) == 1 else ""
        return id

    @property
    def output(self) -> str:
        """Id of the one layer that ends the network; empty if there is not exactly one."""
        return self.ends[0] if len(self.ends) == 1 else ""


# --- problems ---


def link_problems(links: LinkIndex) -> list[Problem]:
    """Return what is wrong with layers and links as such, whatever their shapes."""
    repeated = _repeated_ids(links)
    loose = _loose_links(links)
    counts = [problem for id in links.layers for problem in _count_problems(links, id)]
    return [*repeated, *loose, *cycle_problems(links), *counts, *_entry_problems(links), *_end_problems(links)]


def _repeated_ids(links: LinkIndex) -> list[Problem]:
    return [
        Problem(f"network.layers[{index}].id", f'Two layers have the id "{layer.id}".', "Give one of them another id.", layer.id)
        for index, layer in enumerate(links.network.layers)
        if links.order[layer.id] != index
    ]


def _loose_links(links: LinkIndex) -> list[Problem]:
    problems, seen = [], set()
    for index, link in enumerate(links.network.links):
        place = f"network.links[{index}]"
        unknown = [id for id in (link.source, link.target) if id not in links.layers]
        known = next((id for id in (link.target, link.source) if id in links.layers), "")
        cut = _cutting(links, link)
        if unknown:
            message = f'It leads to or from "{unknown[0]}", and no layer has that id.'
            problems.append(Problem(place, message, offered(unknown[0], links.layers), known, cut))
        elif link.source == link.target:
            problems.append(Problem(place, f"It leads from {links.title(link.source)} back to itself.", "Remove it.", link.source, cut))
        elif link in seen:
            message = f"{links.title(link.source)} is linked to {links.title(link.target)} twice."
            once = fix("Keep one of the two links", step("merge_links"))
            problems.append(Problem(place, message, "Remove one of the two.", link.target, once))
        seen.add(Link(link.source, link.target))
    return problems


def _cutting(links: LinkIndex, *cut: Link) -> Fix:
    ends = [links.title(id) if id in links.layers else id for id in (cut[0].source, cut[0].target)]
    label = f"Remove the link {' → '.join(ends)}" if len(cut) == 1 else "Remove these links"
    return fix(label, *(step("disconnect_layers", source=link.source, target=link.target) for link in dict.fromkeys(cut)))


def _deleting(links: LinkIndex, *ids: str) -> Fix:
    return fix(f"Delete {', '.join(links.title(id) for id in ids)}", step("remove_layers", ids=tuple(ids)))


def cycle_problems(links: LinkIndex) -> list[Problem]:
    """Return one problem for each cycle that is left when the others are cut; self links are not among them."""
    outside = {layer.id for layer in links.sorted}
    blocked = {id for id in links.layers if id not in outside}
    problems = []
    while cycle := _a_cycle(links, blocked):
        blocked -= set(cycle)
        path = " → ".join(links.title(id) for id in (*cycle, cycle[0]))
        last = Link(cycle[-1], cycle[0])
        place = f"network.links[{links.network.links.index(last)}]"
        message, cure = f"The layers feed each other in a circle: {path}.", f"{_cutting(links, last).label}."
        problems.append(Problem(place, message, cure, cycle[0], _cutting(links, last)))
    return problems


def _a_cycle(links: LinkIndex, blocked: set[str]) -> list[str]:
    """Return the ids along a cycle of at least two layers within `blocked`, or nothing."""
    ahead = {id: [target for target in links.outputs[id] if target in blocked and target != id] for id in links.layers if id in blocked}
    while dead := [id for id, targets in ahead.items() if not targets]:
        for id in dead:
            del ahead[id]
        ahead = {id: [target for target in targets if target in ahead] for id, targets in ahead.items()}
    if not ahead:
        return []
    path = [next(iter(ahead))]
    while (following := ahead[path[-1]][0]) not in path:
        path.append(following)
    cycle = path[path.index(following) :]
    first = min(range(len(cycle)), key=lambda place: links.order[cycle[place]])
    return cycle[first:] + cycle[:first]


def _count_problems(links: LinkIndex, id: str) -> list[Problem]:
    layer, given = links.layers[id], len(links.inputs[id])
    kind = catalog.layer_kind(layer.kind)
    fewest, most = kind.inputs
    if most is not None and given > most:
        takes = "no input" if not most else "one input" if most == 1 else f"{most} inputs"
        cure = "Remove the links that lead into it." if not most else "Remove a link, or join its inputs with Add or Concat first."
        surplus = [Link(source, id) for source in dict.fromkeys(links.inputs[id][most:])]
        return [Problem(links.place(id), f"{kind.label} takes {takes} and has {given}.", cure, id, _cutting(links, *surplus))]
    if given >= fewest:
        return []
    if not given:
        return [Problem(links.place(id), "Nothing leads into this layer.", "Link a layer to it, or delete it.", id, _feeding(links, id))]
    message = f"{kind.label} takes at least {fewest} inputs and has {given}."
    return [Problem(links.place(id), message, "Link another layer to it.", id, _joining(links, id))]


def _joining(links: LinkIndex, id: str) -> Fix:
    """Link one more layer to it: a loose end of the network, else the one before what is linked already; delete it where there is none."""
    sources, behind = links.inputs[id], links.behind(id)
    before = [layer.id for layer in reversed(links.sorted) if any(layer.id in links.inputs[source] for source in sources)]
    others = [other for other in (*links.ends, *before) if other not in behind and other not in sources]
    if not others:
        return _deleting(links, id)
    return fix(f"Link {links.title(others[0])} to it", step("connect_layers", source=others[0], target=id))


def _feeding(links: LinkIndex, id: str) -> Fix:
    """Link the layer that ends the network to one that nothing leads into; delete it where that would close a circle or is ambiguous."""
    if not links.entries and not links.network.inputs_of(id):
        return _entering(links, id)
    end = links.output or (links.entries[0] if len(links.entries) == 1 and not links.ends else "")
    if not end or end in links.behind(id):
        return _deleting(links, id)
    loose = [step("disconnect_layers", source=source, target=id) for source in dict.fromkeys(links.network.inputs_of(id))]
    return fix(f"Link {links.title(end)} to it", *loose, step("connect_layers", source=end, target=id))


def _entry_problems(links: LinkIndex) -> list[Problem]:
    if not links.entries:
        first = next((id for id in links.layers if not links.network.inputs_of(id)), "")
        message = "There is no input layer, so no data can enter."
        return [Problem("network.layers", message, "Add an Input layer.", fix=_entering(links, first))]
    first, *others = links.entries
    message = f"There is one data set and a second input layer; {links.title(first)} already takes it."
    return [Problem(links.place(id), message, "Delete this one.", id, _deleting(links, id)) for id in others]


def _entering(links: LinkIndex, first: str) -> Fix:
    """Add an input layer, linked to the layer `first` if there is one."""
    linked = [step("connect_layers", source=links.network.free_id("input"), target=first)] if first else []
    return fix("Add an input layer", step("add_layer", kind="input"), *linked)


def _end_problems(links: LinkIndex) -> list[Problem]:
    if not links.entries:
        return []
    if not links.ends:
        first = links.entries[0]
        dense = fix("Add a dense layer", step("add_layer", kind="dense", after=first))
        message = "Nothing follows the input, so there is no output."
        return [] if links.outputs[first] else [Problem(links.place(first), message, "Link it to a Dense layer.", first, dense)]
    *others, last = links.ends
    titles = ", ".join(links.title(id) for id in links.ends)
    message = f"{len(links.ends)} layers end the network ({titles}); only one can be the output."
    onwards = f"Link this one onwards, for instance to {links.title(last)}, or delete it."
    return [Problem(links.place(id), message, onwards, id, _deleting(links, *links.branch(id))) for id in others]
