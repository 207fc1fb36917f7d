"""Edits of the network: layers, links, weights set by hand, places on the canvas. Pure functions Experiment -> Experiment.

Each raises Refused (a ValueError), with why not and the cure, and returns the very same experiment where nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from nnviz.document import catalog
from nnviz.document.checks.links import LinkIndex
from nnviz.document.checks.sizes import refuse_too_wide
from nnviz.document.experiment import Experiment
from nnviz.document.fields import accepted, checked, finite, shape_of
from nnviz.document.network import Layer, Link, Network, reached, split_parameter
from nnviz.document.problems import Refused, listed, offered
from nnviz.document.shapes.report import examine

CanvasPosition = tuple[float, float]

_OWN = {field.name: field for field in catalog.LAYER}

# --- the layers that are meant ---


def layer_of(network: Network, id: str) -> Layer:
    """Return the layer with this id. Raises Refused if there is none."""
    if not network.has(id):
        raise Refused(f'No layer has the id "{id}".', offered(str(id), [layer.id for layer in network]))
    return network.layer(id)


def known(network: Network, ids: Iterable[str]) -> list[str]:
    """Return the ids. Raises Refused if no layer has one of them."""
    return [layer_of(network, id).id for id in ids]


# --- adding and removing ---


def new_id(experiment: Experiment, kind: str) -> str:
    """Return the id that `add_layer` gives the next layer of this kind: the kind and the first free number, as dense2."""
    return experiment.network.free_id(kind)


def add_layer(
    experiment: Experiment,
    kind: str,
    after: str | None = None,
    between: Link | tuple[str, str] | None = None,
    position: CanvasPosition | None = None,
    **settings: Any,
) -> Experiment:
    """Return the experiment with a new layer, whose id is `new_id(experiment, kind)`.

    `after`: it stands behind that layer and takes over all its outgoing links. `between`: it stands in the middle of that link. Neither: it
    is not linked. Its fields have their defaults, with `settings` over them.
    """
    if kind not in catalog.LAYERS:
        raise Refused(f'There is no kind of layer called "{kind}".', offered(kind, catalog.LAYERS))
    if len(experiment.network.layers) >= catalog.MOST_LAYERS:
        raise Refused(f"A network has at most {catalog.MOST_LAYERS:,} layers.", "Delete a layer first.")
    row = catalog.LAYERS[kind]
    if (after or between) and row.inputs[1] == 0:
        raise Refused(f"{row.label} takes no input, so it cannot stand behind a layer.", "Add it unlinked.")
    layer = catalog.new_layer(kind, new_id(experiment, kind), **checked(row.fields, row.label, settings))
    links = _links_with(experiment.network, layer.id, after, between)
    grown = _relinked(experiment, (*experiment.network.layers, layer), links)
    return move_layers(grown, {layer.id: position}) if position else grown


def _links_with(network: Network, id: str, after: str | None, between: Link | tuple[str, str] | None) -> list[Link]:
    middle = Link(*between) if isinstance(between, tuple) else between
    moved = [middle] if middle else [link for link in network.links if link.source == after]
    if after:
        layer_of(network, after)
    if middle and middle not in network.links:
        source, target = (_title(network, id) for id in (middle.source, middle.target))
        raise Refused(f"There is no link from {source} to {target}.", "Choose a link of the network.")
    source = after or (moved[0].source if moved else None)
    links = [Link(id, link.target) if link in moved else link for link in network.links]
    place = network.links.index(moved[0]) if moved else len(links)
    return [*links[:place], Link(source, id), *links[place:]] if source else links


def remove_layers(experiment: Experiment, ids: Iterable[str]) -> Experiment:
    """Return the experiment without these layers, their links, weights, places and breakpoints.

    Where one layer was before a removed one and one behind it, these two are joined, so that a chain stays a chain.
    """
    network, gone = experiment.network, known(experiment.network, ids)
    links = list(network.links)
    for id in gone:
        links = _bridged(links, id)
    weights = {name: values for name, values in experiment.weights.items() if split_parameter(name).layer not in gone}
    canvas = {id: position for id, position in experiment.canvas.items() if id not in gone}
    layers = tuple(layer for layer in network.layers if layer.id not in gone)
    breakpoints = tuple(one for one in experiment.breakpoints if one.layer not in gone)
    return _relinked(experiment.replaced(weights=weights, canvas=canvas, breakpoints=breakpoints), layers, links)


def _bridged(links: list[Link], id: str) -> list[Link]:
    sources = [link.source for link in links if link.target == id]
    targets = [link.target for link in links if link.source == id]
    rest = [link for link in links if id not in (link.source, link.target)]
    if len(sources) != 1 or len(targets) != 1 or Link(sources[0], targets[0]) in rest:
        return rest
    bridge = Link(sources[0], targets[0])
    return [bridge if link == Link(id, targets[0]) else link for link in links if link.target != id]


# --- links ---


def connect_layers(experiment: Experiment, source: str, target: str, replace_link: bool = False) -> Experiment:
    """Return the experiment with a link from `source` to `target`. `replace_link`: instead of the one link a full input already has."""
    network = experiment.network
    known(network, (source, target))
    if source == target:
        raise Refused("A layer cannot feed itself.", "Link it to another layer.")
    if Link(source, target) in network.links:
        raise Refused(f"{_title(network, source)} is already linked to {_title(network, target)}.", "Link another layer.")
    if target in reached([source], LinkIndex(network).inputs):
        message = f"{_title(network, target)} already leads to {_title(network, source)}, so this link would close a circle."
        raise Refused(message, "Link in the direction the data flows.")
    most = catalog.layer_kind(network.layer(target).kind).inputs[1]
    taken = network.inputs_of(target)
    if replace_link and most == 1 and taken:
        links = [Link(source, target) if link == Link(taken[0], target) else link for link in network.links]
        return _relinked(experiment, network.layers, links)
    _check_room(network, target, taken, most)
    return _relinked(experiment, network.layers, [*network.links, Link(source, target)])


def reconnect_link(experiment: Experiment, link: Link | tuple[str, str], source: str, target: str) -> Experiment:
    """Return the experiment with this link leading from `source` to `target` instead; it keeps its place among the inputs of a layer."""
    old, new = Link(*link) if isinstance(link, tuple) else link, Link(source, target)
    if old == new:
        return experiment
    cut = disconnect_layers(experiment, old.source, old.target)
    joined = connect_layers(cut, source, target, replace_link=True)
    if old.target != target:
        return joined
    links = [new if entry == old else entry for entry in experiment.network.links]
    return _without_unfit(experiment, experiment.replaced(network=replace(joined.network, links=tuple(links))))


def _check_room(network: Network, target: str, taken: tuple[str, ...], most: int | None) -> None:
    if most == 0:
        label = catalog.LAYERS[network.layer(target).kind].label
        raise Refused(f"{label} takes no input: the data enters there.", "Link from it instead.")
    if most is not None and len(taken) >= most:
        titles = listed(_title(network, id) for id in taken)
        raise Refused(
            f"{_title(network, target)} takes one input and already has {titles}.",
            "Remove that link first, or join both with Add or Concat.",
        )
    if len(network.links) >= catalog.MOST_LINKS:
        raise Refused(f"A network has at most {catalog.MOST_LINKS:,} links.", "Remove a link first.")


def disconnect_layers(experiment: Experiment, source: str, target: str) -> Experiment:
    """Return the experiment without the link from `source` to `target`."""
    gone = Link(source, target)
    if gone not in experiment.network.links:
        network = experiment.network
        raise Refused(f"There is no link from {_title(network, source)} to {_title(network, target)}.", "Choose a link of the network.")
    return _relinked(experiment, experiment.network.layers, [link for link in experiment.network.links if link != gone])


def insert_layer(experiment: Experiment, id: str, link: Link | tuple[str, str]) -> Experiment:
    """Return the experiment with a layer that is not linked yet standing in the middle of this link."""
    network, middle = experiment.network, Link(*link) if isinstance(link, tuple) else link
    layer = layer_of(network, id)
    if network.inputs_of(id) or network.outputs_of(id):
        raise Refused(f"{layer.title} is linked already.", "Remove its links first.")
    if catalog.LAYERS[layer.kind].inputs[0] != 1:
        raise Refused(f"{catalog.LAYERS[layer.kind].label} does not fit in the middle of a link.", "Link its inputs one by one.")
    return _relinked(experiment, network.layers, _links_with(network, id, None, middle))


def merge_links(experiment: Experiment) -> Experiment:
    """Return the experiment with each link once, where some were there twice."""
    return _relinked(experiment, experiment.network.layers, dict.fromkeys(experiment.network.links))


# --- one layer ---


def change_layer(experiment: Experiment, id: str, **settings: Any) -> Experiment:
    """Return the experiment with these fields of the layer's kind changed. Weights set by hand that no longer fit are given up."""
    layer = layer_of(experiment.network, id)
    row = catalog.LAYERS[layer.kind]
    refuse_too_wide(experiment, layer, settings)
    changed = layer.settings | checked(row.fields, row.label, settings)
    return _without_unfit(experiment, _with_layer(experiment, replace(layer, settings=changed)))


def rename_layer(experiment: Experiment, id: str, name: str) -> Experiment:
    """Return the experiment with another name for the layer on the screen; empty shows its id. The id stays."""
    layer = layer_of(experiment.network, id)
    name = accepted(_OWN["name"], name.strip() if isinstance(name, str) else name)
    return _with_layer(experiment, replace(layer, name="" if name == id else name))


def rename_layers(experiment: Experiment, ids: Iterable[str], name: str) -> Experiment:
    """Return the experiment with another name for these layers; several are numbered in the order they are given: name 1, name 2, …"""
    ids = known(experiment.network, ids)
    for number, id in enumerate(ids, 1):
        experiment = rename_layer(experiment, id, f"{name.strip()} {number}" if len(ids) > 1 and name.strip() else name)
    return experiment


def freeze_layer(experiment: Experiment, id: str, frozen: bool = True) -> Experiment:
    """Return the experiment with the layer's parameters kept as they are by training, or not."""
    return _with_layer(experiment, replace(_learning(experiment, id, "to freeze"), frozen=accepted(_OWN["frozen"], frozen)))


def set_learning_rate_factor(experiment: Experiment, id: str, factor: float) -> Experiment:
    """Return the experiment with the learning rate multiplied by this for the layer's parameters."""
    layer = _learning(experiment, id, "a learning rate acts on")
    return _with_layer(experiment, replace(layer, learning_rate_factor=accepted(_OWN["learning_rate_factor"], factor)))


def set_initializer(experiment: Experiment, id: str, initializer: str) -> Experiment:
    """Return the experiment with another start for the layer's weights. Weights set by hand keep going before it."""
    return _with_layer(experiment, replace(_drawn(experiment, id), initializer=accepted(_OWN["initializer"], initializer)))


def set_gain(experiment: Experiment, id: str, gain: float) -> Experiment:
    """Return the experiment with the weights the initializer draws multiplied by this."""
    return _with_layer(experiment, replace(_drawn(experiment, id), gain=accepted(_OWN["gain"], gain)))


def _learning(experiment: Experiment, id: str, what: str) -> Layer:
    layer = layer_of(experiment.network, id)
    row = catalog.LAYERS[layer.kind]
    if not row.learns:
        raise Refused(f"{row.label} has no parameters {what}.", "Choose a layer that has: Dense, Conv, LSTM or Batch norm.")
    return layer


def _drawn(experiment: Experiment, id: str) -> Layer:
    layer = layer_of(experiment.network, id)
    row = catalog.LAYERS[layer.kind]
    if not row.initialized:
        raise Refused(f"{row.label} has no weights that an initializer draws.", "Choose a layer that has: Dense, Conv or LSTM.")
    return layer


# --- weights set by hand ---


def set_weight(
    experiment: Experiment, parameter: str, index: tuple[int, ...], value: float, shape: tuple[int, ...], current: list | float
) -> Experiment:
    """Return the experiment with one element of a parameter set by hand.

    The document keeps the whole parameter: `current`, nested lists of `shape` with its present values, and `value` at `index`.
    """
    number, shape, index = finite(value), tuple(shape), tuple(index)
    if number is None:
        raise Refused(f"{value} is not a finite number.", "Type a number, as -0.5.")
    if shape_of(current) != shape:
        raise Refused(f"The present values of {parameter} are not of shape {list(shape)}.", "Wait for the engine to send them.")
    if len(index) != len(shape) or any(not 0 <= place < size for place, size in zip(index, shape, strict=True)):
        raise Refused(f"{parameter} has no element {list(index)}.", f"Its shape is {list(shape)}; count from 0.")
    return set_parameter(experiment, parameter, _with_element(current, index, number))


def set_parameter(experiment: Experiment, parameter: str, values: list | float) -> Experiment:
    """Return the experiment with a whole parameter (`layer id.tensor`) set by hand, as nested lists of its shape.

    The running statistics of a normalisation are set in the same way.
    """
    shapes = examine(experiment).settable_by_name
    if parameter not in shapes:
        raise Refused(f'No parameter is called "{parameter}".', offered(parameter, shapes))
    if shape_of(values) != shapes[parameter]:
        shape = list(shapes[parameter])
        raise Refused(f"The values of {parameter} are not finite numbers of shape {shape}.", "Give equally long nested lists, without NaN.")
    return experiment.replaced(weights=experiment.weights | {parameter: _floats(values)})


def set_parameters(experiment: Experiment, parameters: Mapping[str, list | float]) -> Experiment:
    """Return the experiment with several whole parameters set by hand, as `set_parameter` does one."""
    for parameter, values in parameters.items():
        experiment = set_parameter(experiment, parameter, values)
    return experiment


def clear_weights(experiment: Experiment, id: str) -> Experiment:
    """Return the experiment with all parameters of the layer left to its initializer again."""
    layer_of(experiment.network, id)
    return experiment.replaced(weights={name: values for name, values in experiment.weights.items() if split_parameter(name).layer != id})


def clear_parameter(experiment: Experiment, parameter: str) -> Experiment:
    """Return the experiment with one parameter (`layer id.tensor`) no longer set by hand."""
    return experiment.replaced(weights={name: values for name, values in experiment.weights.items() if name != parameter})


def _with_element(values: Any, index: tuple[int, ...], number: float) -> Any:
    if not index:
        return number
    first, *rest = index
    return [_with_element(entry, tuple(rest), number) if place == first else entry for place, entry in enumerate(values)]


def _floats(values: Any) -> Any:
    return [_floats(entry) for entry in values] if isinstance(values, list | tuple) else float(values)


# --- the canvas ---


def move_layers(experiment: Experiment, positions: Mapping[str, CanvasPosition]) -> Experiment:
    """Return the experiment with layers at other places on the canvas, in canvas units."""
    known(experiment.network, positions)
    placed = {id: (finite(x), finite(y)) for id, (x, y) in positions.items()}
    if any(None in position for position in placed.values()):
        raise Refused("A place on the canvas is two finite numbers.", "Drop the layer on the canvas.")
    return experiment.replaced(canvas=experiment.canvas | {id: (round(x, 2), round(y, 2)) for id, (x, y) in placed.items()})


def tidy(experiment: Experiment, ids: Iterable[str] | None = None) -> Experiment:
    """Return the experiment with these layers (None: all) placed automatically again."""
    gone = set(experiment.canvas) if ids is None else set(known(experiment.network, ids))
    return experiment.replaced(canvas={id: position for id, position in experiment.canvas.items() if id not in gone})


# --- what edits are made of ---


def _title(network: Network, id: str) -> str:
    return network.layer(id).title if network.has(id) else id


def _with_layer(experiment: Experiment, changed: Layer) -> Experiment:
    """Return the experiment with this layer in the place of the one with its id (or of the last, if its id is new)."""
    layers = tuple(changed if layer.id == changed.id and layer != changed else layer for layer in experiment.network.layers)
    return experiment.replaced(network=replace(experiment.network, layers=layers))


def _relinked(experiment: Experiment, layers: tuple[Layer, ...], links: Iterable[Link]) -> Experiment:
    return _without_unfit(experiment, experiment.replaced(network=Network(tuple(layers), tuple(links))))


def _without_unfit(before: Experiment, after: Experiment) -> Experiment:
    """Return the experiment after an edit, without the weights set by hand that fitted before it and do not now, and without lost locks."""
    lost = _unfit(after) - {name for name in _unfit(before) if name.startswith("weights.")}
    weights = {name: values for name, values in after.weights.items() if f"weights.{name}" not in lost}
    locks = {name: value for name, value in after.locks.items() if f"locks.{name}" not in lost}
    return after.replaced(weights=weights, locks=locks)


def _unfit(experiment: Experiment) -> set[str]:
    """The places of the weights set by hand, and of the locks, that do not fit the network."""
    if not experiment.weights and not experiment.locks:
        return set()
    return {problem.place for problem in examine(experiment).problems if problem.place.startswith(("weights.", "locks."))}
