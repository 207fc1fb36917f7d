"""What a network amounts to before anything is allocated: output shape and parameters of every layer, and every problem with its cure.

Only arithmetic on shapes: nothing here builds, runs or changes a network.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import msgspec

from nnviz.document import catalog, diagnostics
from nnviz.document.diagnostics import MOST_PARAMETERS, Wiring
from nnviz.document.experiment import Experiment
from nnviz.document.fields import accepted
from nnviz.document.network import Layer
from nnviz.document.problems import Problem, Refused, offered

Shape = tuple[int, ...]


class LayerShape(msgspec.Struct, frozen=True):
    """What one layer puts out, and its parameters by tensor name. Shapes leave the batch out; None where a problem hides it."""

    output_shape: Shape | None
    parameters: dict[str, Shape] = {}

    @property
    def count(self) -> int:
        """How many numbers its parameters hold."""
        return sum(prod(shape) for shape in self.parameters.values())


class Report(msgspec.Struct, frozen=True):
    """What `examine` finds: every layer by id, and all problems in the order of the layers, those of the whole network behind them."""

    layers: dict[str, LayerShape]
    problems: tuple[Problem, ...] = ()
    output: str = ""
    """Id of the layer whose output is the network's; empty if there is not exactly one."""

    @property
    def ok(self) -> bool:
        """Whether the experiment can be run."""
        return not self.problems

    @property
    def parameters(self) -> int:
        """How many numbers all parameters hold together."""
        return sum(layer.count for layer in self.layers.values())

    def problems_of(self, layer: str) -> tuple[Problem, ...]:
        """Return the problems this layer causes."""
        return tuple(problem for problem in self.problems if problem.layer == layer)


def examine(experiment: Experiment) -> Report:
    """Return the shapes, parameters and problems of an experiment. Never raises."""
    wiring = Wiring(experiment.network)
    layers, problems = _shapes(wiring)
    problems += diagnostics.wiring_problems(wiring)
    output = wiring.output
    if not problems:
        problems += diagnostics.output_problems(experiment, wiring, {id: layer.output_shape for id, layer in layers.items()})
        problems += diagnostics.training_problems(experiment, {id: layer.count for id, layer in layers.items()})
    problems += diagnostics.data_problems(experiment, wiring)
    problems += _weight_problems(experiment, wiring, layers)
    return Report(layers, tuple(sorted(problems, key=lambda problem: wiring.order.get(problem.layer, len(wiring.order)))), output)


def _shapes(wiring: Wiring) -> tuple[dict[str, LayerShape], list[Problem]]:
    found: dict[str, LayerShape] = {}
    problems: list[Problem] = []
    total = 0
    for layer in wiring.sorted:
        sources = [found[source].output_shape for source in wiring.inputs[layer.id]]
        try:
            shape = _shape(layer, sources)
            _refuse_too_large(layer, shape, total + shape.count)
            total += shape.count
        except _Misfit as misfit:
            place = ".".join(filter(None, (wiring.place(layer.id), misfit.field)))
            problems.append(Problem(place, misfit.message, misfit.cure, layer.id))
            shape = LayerShape(None)
        found[layer.id] = shape
    return {layer.id: found.get(layer.id, LayerShape(None)) for layer in wiring.network}, problems


class _Misfit(Refused):
    """What is wrong with one layer, and with which of its fields."""

    def __init__(self, message: str, cure: str, field: str = "") -> None:
        super().__init__(message, cure)
        self.field = field


def _shape(layer: Layer, sources: list[Shape | None]) -> LayerShape:
    kind = catalog.LAYERS.get(layer.kind)
    if kind is None:
        raise _Misfit(f'There is no kind of layer called "{layer.kind[:40]}".', offered(layer.kind, catalog.LAYERS), "kind")
    _check_settings(layer, kind)
    fewest, most = kind.inputs
    if None in sources or not fewest <= len(sources) <= (most if most is not None else len(sources)):
        return LayerShape(None)
    return RULES[layer.kind](layer, *sources)


def _check_settings(layer: Layer, kind: catalog.Kind) -> None:
    for field in kind.fields:
        try:
            accepted(field, layer.settings.get(field.name))
        except Refused as refused:
            raise _Misfit(refused.message, refused.cure, field.name) from None


def _refuse_too_large(layer: Layer, shape: LayerShape, total: int) -> None:
    if total > MOST_PARAMETERS:
        where = "This layer has" if shape.count > MOST_PARAMETERS // 2 else "With this layer the network has"
        count = shape.count if shape.count > MOST_PARAMETERS // 2 else total
        raise _Misfit(
            f"{where} {count:,} parameters; {MOST_PARAMETERS:,} together are the most.", "Use fewer units here or before it.", "units"
        )


# --- one rule per kind of layer: its shape from those of its inputs ---


def _input(layer: Layer) -> LayerShape:
    return LayerShape(tuple(layer["shape"]))


def _dense(layer: Layer, x: Shape) -> LayerShape:
    if len(x) != 1:
        raise _Misfit(f"A dense layer takes a vector, and {_written(x)} comes in.", "Add a Flatten layer before it.")
    units = layer["units"]
    bias = {"bias": (units,)} if layer["bias"] else {}
    return LayerShape((units,), {"weight": (units, x[0])} | bias)


def _unchanged(layer: Layer, x: Shape) -> LayerShape:
    return LayerShape(x)


def _batch_norm(layer: Layer, x: Shape) -> LayerShape:
    return LayerShape(x, {"weight": x[:1], "bias": x[:1]})


def _layer_norm(layer: Layer, x: Shape) -> LayerShape:
    return LayerShape(x, {"weight": x[-1:], "bias": x[-1:]})


def _flatten(layer: Layer, x: Shape) -> LayerShape:
    return LayerShape((prod(x),))


def _add(layer: Layer, *sources: Shape) -> LayerShape:
    if len(set(sources)) > 1:
        raise _Misfit(
            f"Add takes inputs of one shape, and {_all_written(sources)} come in.", "Give the layers before it the same number of units."
        )
    return LayerShape(sources[0])


def _concat(layer: Layer, *sources: Shape) -> LayerShape:
    if len({shape[1:] for shape in sources}) > 1 or len({len(shape) for shape in sources}) > 1:
        raise _Misfit(
            f"Concat takes inputs that differ in their first size only, and {_all_written(sources)} come in.",
            "Make the other sizes equal, or add a Flatten layer before each.",
        )
    return LayerShape((sum(shape[0] for shape in sources), *sources[0][1:]))


RULES: dict[str, Callable[..., LayerShape]] = {
    "input": _input,
    "dense": _dense,
    "activation": _unchanged,
    "dropout": _unchanged,
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "add": _add,
    "concat": _concat,
    "flatten": _flatten,
}


def _written(shape: Shape) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _all_written(shapes: tuple[Shape, ...]) -> str:
    return " and ".join(_written(shape) for shape in shapes)


# --- weights set by hand ---


def _weight_problems(experiment: Experiment, wiring: Wiring, layers: dict[str, LayerShape]) -> list[Problem]:
    known = {f"{id}.{tensor}": shape for id, layer in layers.items() for tensor, shape in layer.parameters.items()}
    hidden = {id for id, layer in layers.items() if layer.output_shape is None}
    problems = [
        diagnostics.weight_problem(name, values, known)
        for name, values in experiment.weights.items()
        if name.rpartition(".")[0] not in hidden
    ]
    return [problem for problem in problems if problem]
