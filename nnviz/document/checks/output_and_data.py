"""What can be wrong with the data, the output of the network and the weights set by hand.

Each problem names the place, the layer that causes it, and the cure.
"""

from __future__ import annotations

from math import prod
from typing import Any

from nnviz.document import catalog
from nnviz.document.adversarial import TARGET
from nnviz.document.checks.links import LinkIndex
from nnviz.document.experiment import Experiment
from nnviz.document.fields import faults, shape_of, takes
from nnviz.document.network import Choice, Layer, split_parameter
from nnviz.document.problems import Fix, FixStep, Problem, fix, likely, offered, shown, step
from nnviz.document.shapes.rows import RowSize, data_size, looked_up, natural_shape

Shapes = dict[str, tuple[int, ...] | None]


# --- data ---


def data_problems(experiment: Experiment, links: LinkIndex) -> list[Problem]:
    """Return what is wrong with the choice of data, and where it does not fit the input layer."""
    problems = choice_problems("data", catalog.DATASETS, experiment.data)
    problems = problems or _own_data_problems(experiment.data)
    size = None if problems else data_size(experiment.data)
    if size is None or not links.entries:
        return problems
    id = links.entries[0]
    shape = links.layers[id].settings.get("shape")
    if not takes(catalog.LAYERS["input"].field("shape"), shape) or prod(shape) == size[0]:
        return problems
    label = catalog.DATASETS[experiment.data.kind].label
    message = f"{label} has {counted(size[0], 'feature')} per row, and the input layer takes {prod(shape):,}."
    natural = natural_shape(experiment.data, size[0], shape, [links.layers[target].kind for target in links.outputs[id]])
    cure = f"Set the shape of the input layer to {natural}"
    fitting = fix(cure, step("change_layer", id=id, shape=natural))
    return [*problems, Problem(f"{links.place(id)}.shape", message, f"{cure}.", id, fitting)]


def _own_data_problems(data: Choice) -> list[Problem]:
    if data.kind == "csv" and not data["path"]:
        return [Problem("data.path", "No file is chosen.", "Choose a CSV file.")]
    if data.kind != "table":
        return []
    x, y = data["x"], data["y"]
    if not x:
        return [Problem("data.x", "The table has no rows.", "Type in at least one row.")]
    if len(x) != len(y):
        return [Problem("data.y", f"There are {counted(len(x), 'row')} in x and {len(y):,} in y.", "Give every row of x one in y.")]
    return []


def lookup_problems(experiment: Experiment, links: LinkIndex) -> list[Problem]:
    """Return the layers that look up whole numbers and are given others."""
    problems = []
    for layer in links.sorted:
        kind = catalog.layer_kind(layer.kind)
        source = _origin(links, layer.id) if kind.vocabulary and layer.id in links.reached else ""
        if source and links.layers[source].kind != "input":
            message = f"{kind.label} looks up whole numbers, and {links.title(source)} puts out others."
            problems.append(Problem(links.place(layer.id), message, "Put it right behind the input layer.", layer.id))
        elif source and experiment.data.settings.get("scaling", "none") != "none":
            message = f"{kind.label} looks up whole numbers, and scaling turns those of the data into others."
            whole = fix("Switch scaling off", step("change_data", scaling="none"))
            problems.append(Problem("data.scaling", message, "Set scaling to none.", layer.id, whole))
        elif source:
            problems += _vocabulary_problems(experiment.data, links, layer)
    return problems


def _vocabulary_problems(data: Choice, links: LinkIndex, layer: Layer) -> list[Problem]:
    """Whether a layer knows all numbers of the data, where they are known without reading it."""
    kind, place = catalog.layer_kind(layer.kind), links.place(layer.id)
    numbers, known = looked_up(data), layer.settings.get(kind.vocabulary)
    if numbers is None or not isinstance(known, int):
        return []
    if not numbers:
        message = f"{kind.label} looks up whole numbers from 0 up, and the data holds others."
        return [Problem(place, message, "Take data of whole numbers, or remove this layer.", layer.id)]
    highest = max(numbers)
    if highest < known:
        return []
    message, cure = (
        f"{kind.label} knows the numbers 0 to {known - 1}, and the data holds {highest}.",
        f"Set {kind.vocabulary} to {highest + 1}",
    )
    larger = fix(cure, step("change_layer", id=layer.id, **{kind.vocabulary: highest + 1}))
    return [Problem(f"{place}.{kind.vocabulary}", message, f"{cure}.", layer.id, larger)]


def _origin(links: LinkIndex, id: str) -> str:
    """Return the layer that a layer's numbers come from, seen through those that only rearrange them; empty for several."""
    sources = links.inputs[id]
    while len(sources) == 1 and catalog.layer_kind(links.layers[sources[0]].kind).rearranges:
        sources = links.inputs[sources[0]]
    return sources[0] if len(sources) == 1 else ""


_EDITS = {
    "data": ("choose_data", "change_data"),
    "training.optimizer": ("choose_optimizer", "change_optimizer"),
    "training.schedule": ("choose_schedule", "change_schedule"),
}
"""By the place of a choice the edits that choose another kind and change settings."""


def choice_problems(place: str, table: dict[str, catalog.Kind], choice: Choice) -> list[Problem]:
    """Return what is wrong with the kind and the settings of a choice."""
    choose, change = _EDITS[place]
    if choice.kind not in table:
        kind = likely(choice.kind, table)
        chosen = fix(f"Choose {table[kind].label}", step(choose, kind=kind))
        return [Problem(f"{place}.kind", f'There is no "{choice.kind[:40]}".', offered(choice.kind, table), fix=chosen)]
    problems = []
    for field, refused, value in faults(table[choice.kind].fields, choice.settings):
        limited = fix(f"Set {field.name} to {shown(value)}", step(change, **{field.name: value}))
        problems.append(Problem(f"{place}.{field.name}", refused.message, refused.cure, fix=limited))
    return problems


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


# --- output and loss ---


def output_problems(experiment: Experiment, links: LinkIndex, shapes: Shapes) -> list[Problem]:
    """Return where loss, data and the shape of the output do not fit together."""
    loss, size = experiment.training.loss, aim(experiment)
    if loss not in catalog.LOSSES:
        chosen = _choosing(likely(loss, catalog.LOSSES))
        return [Problem("training.loss", f'There is no loss "{loss[:40]}".', offered(loss, catalog.LOSSES), fix=chosen)]
    if size is None:
        return []
    return _loss_problems(experiment, size.classes) or _unit_problems(experiment, links, shapes[links.output] or (), size)


def aim(experiment: Experiment) -> RowSize | None:
    """Return the size of what the output is compared with; None where only reading the data tells."""
    size = data_size(experiment.data)
    if size and experiment.training.target == TARGET:
        return RowSize(size.features, 2, 0)
    return RowSize(size.features, 0, size.features) if size and experiment.training.target == "input" else size


def _choosing(loss: str) -> Fix:
    return fix(f"Choose {catalog.LOSSES[loss].label.lower()}", step("change_training", loss=loss))


def _loss_problems(experiment: Experiment, classes: int) -> list[Problem]:
    kind, label = catalog.LOSSES[experiment.training.loss], catalog.DATASETS[experiment.data.kind].label
    if experiment.training.target == TARGET and kind.name != "bce":
        message = f"A discriminator tells real from generated rows by binary cross-entropy, and the loss is {kind.label.lower()}."
        return [Problem("training.loss", message, "Choose binary cross-entropy.", fix=_choosing("bce"))]
    if experiment.training.target == "input" and kind.name == "bce":
        return _range_problems(experiment)
    if kind.group == "Classification" and not classes:
        message = f"{kind.label} needs classes, and the targets of {label} are numbers."
        return [Problem("training.loss", message, "Choose mean squared error, mean absolute error or Huber.", fix=_choosing("mse"))]
    if kind.name == "bce" and classes != 2:
        message = f"{kind.label} tells two classes apart, and {label} has {classes}."
        return [Problem("training.loss", message, "Choose cross-entropy.", fix=_choosing("cross_entropy"))]
    return []


def _range_problems(experiment: Experiment) -> list[Problem]:
    """Binary cross-entropy with the input itself takes numbers from 0 to 1."""
    if experiment.data.settings.get("scaling") == "min-max":
        return []
    message = "Binary cross-entropy with the input itself compares numbers from 0 to 1, and the data is not scaled to them."
    return [Problem("data.scaling", message, "Set scaling to min-max.", fix=fix("Scale to 0 … 1", step("change_data", scaling="min-max")))]


def _unit_problems(experiment: Experiment, links: LinkIndex, shape: tuple[int, ...], size: tuple[int, int, int]) -> list[Problem]:
    id, (_, classes, targets), is_copy = links.output, size, experiment.training.target == "input"
    loss, label = catalog.LOSSES[experiment.training.loss], catalog.DATASETS[experiment.data.kind].label
    allowed = (targets,) if is_copy else _allowed_outputs(loss.name, classes, targets)
    if shape in [(units,) for units in allowed]:
        return []
    what = f"{classes} classes" if classes else f"{counted(targets, 'number')} to reproduce" if is_copy else counted(targets, "target")
    needed = " or ".join(counted(units, "unit") for units in allowed)
    message = f"{loss.label} with {what} ({label}) needs an output of {needed}, and this layer puts out [{', '.join(map(str, shape))}]."
    is_dense = links.layers[id].kind == "dense"
    if is_dense and len(shape) > 1:
        return [Problem(links.place(id), message, *_flattening(links, id, shape, allowed))]
    cure = f"Set its units to {allowed[-1]}" if is_dense else _ending_label(shape, allowed[-1])
    steps = [step("change_layer", id=id, units=allowed[-1])] if is_dense else ending(id, shape, allowed[-1])
    return [Problem(f"{links.place(id)}{'.units' * is_dense}", message, f"{cure}.", id, fix(cure, *steps))]


def _flattening(links: LinkIndex, id: str, shape: tuple[int, ...], allowed: tuple[int, ...]) -> tuple[str, str, Fix]:
    """The cure of a dense layer that ends the network and acts on the last axis alone: Flatten before it, or the first of several."""
    first = id
    while _is_chained(links, first):
        first = links.inputs[first][0]
    source = links.inputs[first][0]
    where = "it" if first == id else links.title(first)
    label = f"Add a flatten layer before {where}"
    narrowed = [] if shape[-1] in allowed else [step("change_layer", id=id, units=allowed[-1])]
    return f"Add a Flatten layer before {where}.", id, fix(label, step("add_layer", kind="flatten", between=(source, first)), *narrowed)


def _is_chained(links: LinkIndex, id: str) -> bool:
    """Whether what comes in is a dense layer's, or that of one that keeps its shape, and nothing else reads that."""
    (source,) = links.inputs[id]
    alone = len(links.outputs[source]) == 1 and len(links.inputs[source]) == 1
    return alone and links.layers[source].kind in ("dense", "activation", "dropout")


def _ending_label(shape: tuple[int, ...], units: int) -> str:
    """What `ending` does, in words."""
    return f"End the network with {'a Flatten and ' * (len(shape) > 1)}a Dense layer of {counted(units, 'unit')}"


def ending(id: str, shape: tuple[int, ...], units: int) -> list[FixStep]:
    """Return the edits that put a dense layer of so many units behind the last one, which has this shape."""
    flat = [step("add_layer", kind="flatten", after=id)] if len(shape) > 1 else []
    return [step("add_layer", kind="dense", after=id, units=units), *flat]


def _allowed_outputs(loss: str, classes: int, targets: int) -> tuple[int, ...]:
    """Return how many outputs fit.

    A regression loss on classes takes one unit per class (one-hot targets), or a single unit for two classes (target 0 or 1).
    """
    if loss == "bce":
        return (1,)
    if not classes:
        return (targets,)
    return (1, 2) if classes == 2 and loss != "cross_entropy" else (classes,)


# --- weights ---


def weight_problem(name: str, values: Any, known: dict[str, tuple[int, ...]]) -> Problem | None:
    """Return what is wrong with a parameter set by hand, if anything is; `known` holds the shape of every parameter."""
    place, id = f"weights.{name}", split_parameter(name).layer
    forgotten = fix("Leave it to the initializer" if name in known else "Forget these values", step("clear_parameter", parameter=name))
    if name not in known:
        return Problem(place, "No parameter has this name.", offered(name, known), fix=forgotten)
    shape = shape_of(values)
    if shape == known[name]:
        return None
    found = f"of shape {list(shape)}" if shape is not None else "not equally long lists of finite numbers"
    message = f"The values are {found}, and the parameter has shape {list(known[name])}."
    return Problem(place, message, "Give it that shape, or leave it to the initializer.", id, forgotten)
