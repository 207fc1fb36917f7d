"""What can be wrong with an experiment beyond a single layer: its wiring, its output, its data, its training, its weights.

Each finding names the place, the layer that causes it, and the cure. Called by shapes.py; it changes nothing.
"""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import Any

from nnviz.document import catalog
from nnviz.document.experiment import Experiment
from nnviz.document.fields import accepted, shape_of
from nnviz.document.network import Choice, Layer, Link, Network
from nnviz.document.problems import Problem, Refused, offered
from nnviz.document.row_shapes import data_size

MOST_PARAMETERS = 50_000_000

Shapes = dict[str, tuple[int, ...] | None]


class Wiring:
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
        reached, ahead = set(), list(self.entries)
        while ahead:
            id = ahead.pop()
            if id not in reached:
                reached.add(id)
                ahead += self.outputs[id]
        return reached

    @cached_property
    def ends(self) -> list[str]:
        """The layers data gets to and that feed no other, in the order of `sorted`; input layers are none."""
        return [layer.id for layer in self.sorted if layer.id in self.reached and not self.outputs[layer.id] and layer.kind != "input"]

    @property
    def output(self) -> str:
        """Id of the one layer that ends the network; empty if there is not exactly one."""
        return self.ends[0] if len(self.ends) == 1 else ""


# --- wiring ---


def wiring_problems(wiring: Wiring) -> list[Problem]:
    """Return what is wrong with layers and links as such, whatever their shapes."""
    repeated = _repeated_ids(wiring)
    loose = _loose_links(wiring)
    counts = [problem for id in wiring.layers for problem in _count_problems(wiring, id)]
    return [*repeated, *loose, *cycle_problems(wiring), *counts, *_entry_problems(wiring), *_end_problems(wiring)]


def _repeated_ids(wiring: Wiring) -> list[Problem]:
    return [
        Problem(f"network.layers[{index}].id", f'Two layers have the id "{layer.id}".', "Give one of them another id.", layer.id)
        for index, layer in enumerate(wiring.network.layers)
        if wiring.order[layer.id] != index
    ]


def _loose_links(wiring: Wiring) -> list[Problem]:
    problems, seen = [], set()
    for index, link in enumerate(wiring.network.links):
        place = f"network.links[{index}]"
        unknown = [id for id in (link.source, link.target) if id not in wiring.layers]
        known = next((id for id in (link.target, link.source) if id in wiring.layers), "")
        if unknown:
            problems.append(
                Problem(place, f'It leads to or from "{unknown[0]}", and no layer has that id.', offered(unknown[0], wiring.layers), known)
            )
        elif link.source == link.target:
            problems.append(Problem(place, f"It leads from {link.source} back to itself.", "Remove it.", link.source))
        elif link in seen:
            problems.append(Problem(place, f"{link.source} is linked to {link.target} twice.", "Remove one of the two.", link.target))
        seen.add(Link(link.source, link.target))
    return problems


def cycle_problems(wiring: Wiring) -> list[Problem]:
    """Return one problem for each cycle that is left when the others are cut; self links are not among them."""
    outside = {layer.id for layer in wiring.sorted}
    blocked = {id for id in wiring.layers if id not in outside}
    problems = []
    while cycle := _a_cycle(wiring, blocked):
        blocked -= set(cycle)
        path = " → ".join([*cycle, cycle[0]])
        place = f"network.links[{wiring.network.links.index(Link(cycle[-1], cycle[0]))}]"
        problems.append(
            Problem(place, f"The layers feed each other in a circle: {path}.", f"Remove the link {cycle[-1]} → {cycle[0]}.", cycle[0])
        )
    return problems


def _a_cycle(wiring: Wiring, blocked: set[str]) -> list[str]:
    """Return the ids along a cycle of at least two layers within `blocked`, or nothing."""
    ahead = {id: [target for target in wiring.outputs[id] if target in blocked and target != id] for id in wiring.layers if id in blocked}
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
    first = min(range(len(cycle)), key=lambda place: wiring.order[cycle[place]])
    return cycle[first:] + cycle[:first]


def _count_problems(wiring: Wiring, id: str) -> list[Problem]:
    layer, given = wiring.layers[id], len(wiring.inputs[id])
    kind = catalog.LAYERS.get(layer.kind)
    if kind is None:
        return []
    fewest, most = kind.inputs
    if most is not None and given > most:
        takes = "no input" if not most else "one input" if most == 1 else f"{most} inputs"
        cure = "Remove the links that lead into it." if not most else "Remove a link, or join its inputs with Add or Concat first."
        return [Problem(wiring.place(id), f"{kind.label} takes {takes} and has {given}.", cure, id)]
    if given >= fewest:
        return []
    if not given:
        return [Problem(wiring.place(id), "Nothing leads into this layer.", "Link a layer to it, or delete it.", id)]
    return [Problem(wiring.place(id), f"{kind.label} takes at least {fewest} inputs and has {given}.", "Link another layer to it.", id)]


def _entry_problems(wiring: Wiring) -> list[Problem]:
    if not wiring.entries:
        return [Problem("network.layers", "There is no input layer, so no data can enter.", "Add an Input layer.")]
    first, *others = wiring.entries
    return [
        Problem(
            wiring.place(id),
            f"There is one data set and a second input layer; {wiring.title(first)} already takes it.",
            "Delete this one.",
            id,
        )
        for id in others
    ]


def _end_problems(wiring: Wiring) -> list[Problem]:
    if not wiring.entries:
        return []
    if not wiring.ends:
        first = wiring.entries[0]
        unlinked = not wiring.outputs[first]
        return (
            [Problem(wiring.place(first), "Nothing follows the input, so there is no output.", "Link it to a Dense layer.", first)]
            if unlinked
            else []
        )
    *others, last = wiring.ends
    titles = ", ".join(wiring.title(id) for id in wiring.ends)
    message = f"{len(wiring.ends)} layers end the network ({titles}); only one can be the output."
    return [
        Problem(wiring.place(id), message, f"Link this one onwards, for instance to {wiring.title(last)}, or delete it.", id)
        for id in others
    ]


# --- data ---


def data_problems(experiment: Experiment, wiring: Wiring) -> list[Problem]:
    """Return what is wrong with the choice of data, and where it does not fit the input layer."""
    problems = choice_problems("data", catalog.DATASETS, experiment.data)
    problems = problems or _own_data_problems(experiment.data)
    size = None if problems else data_size(experiment.data)
    if size is None or not wiring.entries:
        return problems
    id = wiring.entries[0]
    shape = wiring.layers[id].settings.get("shape") or []
    if prod(shape) == size[0]:
        return problems
    label = catalog.DATASETS[experiment.data.kind].label
    message = f"{label} has {_counted(size[0], 'feature')} per row, and the input layer takes {prod(shape):,}."
    return [*problems, Problem(f"{wiring.place(id)}.shape", message, f"Set the shape of the input layer to [{size[0]}].", id)]


def _own_data_problems(data: Choice) -> list[Problem]:
    if data.kind == "csv" and not data["path"]:
        return [Problem("data.path", "No file is chosen.", "Choose a CSV file.")]
    if data.kind != "table":
        return []
    x, y = data["x"], data["y"]
    if not x:
        return [Problem("data.x", "The table has no rows.", "Type in at least one row.")]
    if len(x) != len(y):
        return [Problem("data.y", f"There are {_counted(len(x), 'row')} in x and {len(y):,} in y.", "Give every row of x one in y.")]
    return []


def choice_problems(place: str, table: dict[str, catalog.Kind], choice: Choice) -> list[Problem]:
    """Return what is wrong with the kind and the settings of a choice."""
    if choice.kind not in table:
        return [Problem(f"{place}.kind", f'There is no "{choice.kind[:40]}".', offered(choice.kind, table))]
    problems = []
    for field in table[choice.kind].fields:
        try:
            accepted(field, choice.settings.get(field.name))
        except Refused as refused:
            problems.append(Problem(f"{place}.{field.name}", refused.message, refused.cure))
    return problems


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


# --- output and loss ---


def output_problems(experiment: Experiment, wiring: Wiring, shapes: Shapes) -> list[Problem]:
    """Return where loss, data and the shape of the output do not fit together."""
    loss, size = experiment.training.loss, data_size(experiment.data)
    if loss not in catalog.LOSSES:
        return [Problem("training.loss", f'There is no loss "{loss[:40]}".', offered(loss, catalog.LOSSES))]
    if size is None:
        return []
    return _loss_problems(experiment, size[1]) or _unit_problems(experiment, wiring, shapes[wiring.output] or (), size)


def _loss_problems(experiment: Experiment, classes: int) -> list[Problem]:
    kind, label = catalog.LOSSES[experiment.training.loss], catalog.DATASETS[experiment.data.kind].label
    if kind.group == "Classification" and not classes:
        message = f"{kind.label} needs classes, and the targets of {label} are numbers."
        return [Problem("training.loss", message, "Choose mean squared error, mean absolute error or Huber.")]
    if kind.name == "bce" and classes != 2:
        return [Problem("training.loss", f"{kind.label} tells two classes apart, and {label} has {classes}.", "Choose cross-entropy.")]
    return []


def _unit_problems(experiment: Experiment, wiring: Wiring, shape: tuple[int, ...], size: tuple[int, int, int]) -> list[Problem]:
    id, (_, classes, targets) = wiring.output, size
    loss, label = catalog.LOSSES[experiment.training.loss], catalog.DATASETS[experiment.data.kind].label
    allowed = _allowed_outputs(loss.name, classes, targets)
    if shape in [(units,) for units in allowed]:
        return []
    what = f"{classes} classes" if classes else _counted(targets, "target")
    needed = " or ".join(_counted(units, "unit") for units in allowed)
    message = f"{loss.label} with {what} ({label}) needs an output of {needed}, and this layer puts out [{', '.join(map(str, shape))}]."
    cure = (
        f"Set its units to {allowed[-1]}."
        if wiring.layers[id].kind == "dense"
        else f"End the network with a Dense layer of {_counted(allowed[-1], 'unit')}."
    )
    place = f"{wiring.place(id)}.units" if wiring.layers[id].kind == "dense" else wiring.place(id)
    return [Problem(place, message, cure, id)]


def _allowed_outputs(loss: str, classes: int, targets: int) -> tuple[int, ...]:
    """Return how many outputs fit.

    A regression loss on classes takes one unit per class (one-hot targets), or a single unit for two classes (target 0 or 1).
    """
    if loss == "bce":
        return (1,)
    if not classes:
        return (targets,)
    return (1, 2) if classes == 2 and loss != "cross_entropy" else (classes,)


# --- training ---


def training_problems(experiment: Experiment, counts: dict[str, int]) -> list[Problem]:
    """Return what is wrong with the training, given how many parameters each layer has."""
    training = experiment.training
    problems = choice_problems("training.optimizer", catalog.OPTIMIZERS, training.optimizer)
    problems += choice_problems("training.schedule", catalog.SCHEDULES, training.schedule)
    problems = problems or _nesterov_problems(training.optimizer)
    learning = [layer for layer in experiment.network if counts[layer.id]]
    if not learning:
        problems.append(Problem("network.layers", "No layer has parameters, so nothing can be learned.", "Add a Dense layer."))
    elif all(layer.frozen for layer in learning):
        problems.append(
            Problem("network.layers", "Every layer with parameters is frozen, so nothing can be learned.", "Unfreeze one of them.")
        )
    return problems + _lonely_batch_problems(experiment)


def _nesterov_problems(optimizer: Choice) -> list[Problem]:
    if optimizer.kind != "sgd" or not optimizer["nesterov"]:
        return []
    if not optimizer["momentum"]:
        return [
            Problem(
                "training.optimizer.nesterov",
                "Nesterov looks ahead along the momentum, and the momentum is 0.",
                "Set momentum to 0.9, or turn Nesterov off.",
            )
        ]
    if optimizer["dampening"]:
        return [Problem("training.optimizer.nesterov", "Nesterov needs undamped momentum.", "Set dampening to 0, or turn Nesterov off.")]
    return []


def _lonely_batch_problems(experiment: Experiment) -> list[Problem]:
    if experiment.training.batch_size != 1:
        return []
    return [
        Problem(
            f"network.layers[{index}]",
            "Batch norm compares the rows of a batch, and a batch has only one row.",
            "Use a batch size of 2 or more, or Layer norm.",
            layer.id,
        )
        for index, layer in enumerate(experiment.network.layers)
        if layer.kind == "batch_norm"
    ]


# --- weights ---


def weight_problem(name: str, values: Any, known: dict[str, tuple[int, ...]]) -> Problem | None:
    """Return what is wrong with a parameter set by hand, if anything is; `known` holds the shape of every parameter."""
    place, id = f"weights.{name}", name.rpartition(".")[0]
    if name not in known:
        return Problem(place, "No parameter has this name.", offered(name, known))
    shape = shape_of(values)
    if shape == known[name]:
        return None
    found = f"of shape {list(shape)}" if shape is not None else "not equally long lists of finite numbers"
    return Problem(
        place,
        f"The values are {found}, and the parameter has shape {list(known[name])}.",
        "Give it that shape, or leave it to the initializer.",
        id,
    )
