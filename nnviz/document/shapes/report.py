"""What a network amounts to before anything is allocated: output shape and parameters of every layer, and every problem with its cure."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import islice
from typing import Any

import msgspec

from nnviz.document import catalog
from nnviz.document.checks import output_and_data
from nnviz.document.checks.equal_starts import equal_start_warnings
from nnviz.document.checks.linear_layers import linear_warnings
from nnviz.document.checks.links import LinkIndex, link_problems
from nnviz.document.checks.output_range import output_warnings
from nnviz.document.checks.training_checks import MOST_PARAMETERS, training_problems
from nnviz.document.experiment import Experiment
from nnviz.document.fields import faults
from nnviz.document.locks import lock_problem
from nnviz.document.network import Layer, split_parameter
from nnviz.document.problems import Problem, offered, shown
from nnviz.document.shapes.fixes import FixAt, change_itself, delete_itself, first_fix
from nnviz.document.shapes.rules import RULES, LayerProblem, LayerShape, Shape, buffers_by_name, parameters_by_name

MOST_PROBLEMS = 20
"""So many parameters are named that are wrong; a document may name a hundred thousand."""


class Report(msgspec.Struct, frozen=True, dict=True):
    """What `examine` finds: every layer by id, and all problems in the order of the layers, those of the whole network behind them."""

    layers: dict[str, LayerShape]
    problems: tuple[Problem, ...] = ()
    output: str = ""
    """Id of the layer whose output is the network's; empty if there is not exactly one."""
    warnings: tuple[Problem, ...] = ()
    """What does not keep it from running, and is likely to be a mistake; none are looked for where there are problems."""

    @property
    def ok(self) -> bool:
        """Whether the experiment can be run."""
        return not self.problems

    @property
    def parameters(self) -> int:
        """How many numbers all parameters hold together."""
        return sum(layer.count for layer in self.layers.values())

    @cached_property
    def parameters_by_name(self) -> dict[str, Shape]:
        """The shape of every parameter by its whole name, as h1.weight."""
        return parameters_by_name(self.layers)

    @cached_property
    def settable_by_name(self) -> dict[str, Shape]:
        """The shape of all that `weights` may set: parameters and running statistics."""
        return self.parameters_by_name | buffers_by_name(self.layers)

    def problems_of(self, layer: str) -> tuple[Problem, ...]:
        """Return the problems this layer causes."""
        return tuple(problem for problem in self.problems if problem.layer == layer)

    def warnings_of(self, layer: str) -> tuple[Problem, ...]:
        """Return the warnings this layer causes."""
        return tuple(warning for warning in self.warnings if warning.layer == layer)


def examine(experiment: Experiment) -> Report:
    """Return the shapes, parameters and problems of an experiment. Never raises."""
    links = LinkIndex(experiment.network)
    layers, problems = _shapes(links)
    problems += link_problems(links)
    if not problems:
        problems += output_and_data.output_problems(experiment, links, {id: layer.output_shape for id, layer in layers.items()})
        problems += training_problems(experiment, links, layers)
    problems += output_and_data.data_problems(experiment, links)
    problems += output_and_data.lookup_problems(experiment, links)
    known = parameters_by_name(layers)
    problems += _parameter_problems(experiment.weights, layers, known | buffers_by_name(layers), output_and_data.weight_problem)
    problems += _parameter_problems(experiment.locks, layers, known, lock_problem)
    ordered = sorted(problems, key=lambda problem: links.order.get(problem.layer, len(links.order)))
    return Report(layers, tuple(ordered), links.output, () if ordered else _warnings(experiment, links, layers))


def _warnings(experiment: Experiment, links: LinkIndex, layers: dict[str, LayerShape]) -> tuple[Problem, ...]:
    """What is likely to be a mistake in a network that is sound."""
    shapes = {id: layer.output_shape for id, layer in layers.items()}
    found = linear_warnings(links, layers), output_warnings(experiment, links, shapes), equal_start_warnings(experiment, links)
    return tuple(warning for warnings in found for warning in warnings)


def _shapes(links: LinkIndex) -> tuple[dict[str, LayerShape], list[Problem]]:
    found: dict[str, LayerShape] = {}
    problems: list[Problem] = []
    total = 0
    for layer in links.sorted:
        sources = [found[source].output_shape for source in links.inputs[layer.id]]
        try:
            shape = _shape(layer, sources)
            _refuse_too_large(layer, shape, total + shape.count)
            total += shape.count
        except LayerProblem as problem:
            place = ".".join(filter(None, (links.place(layer.id), problem.field)))
            made = first_fix(problem.fixes, links, layer.id, {id: before.output_shape for id, before in found.items()})
            problems.append(Problem(place, problem.message, problem.cure, layer.id, made))
            shape = LayerShape(None)
        found[layer.id] = shape
    return {layer.id: found.get(layer.id, LayerShape(None)) for layer in links.network}, problems


def _shape(layer: Layer, sources: list[Shape | None]) -> LayerShape:
    kind = catalog.LAYERS.get(layer.kind)
    if kind is None:
        message = f'There is no kind of layer called "{layer.kind[:40]}".'
        raise LayerProblem(message, offered(layer.kind, catalog.LAYERS), "kind", (delete_itself("Delete this layer"),))
    for field, refused, value in faults(kind.fields, layer.settings):
        limited = change_itself(f"Set {field.name} to {shown(value)}", **{field.name: value})
        raise LayerProblem(refused.message, refused.cure, field.name, (limited,))
    fewest, most = kind.inputs
    if None in sources or not fewest <= len(sources) <= (most if most is not None else len(sources)):
        return LayerShape(None)
    return RULES[layer.kind](layer, *sources)


# --- the limit of size ---


def _refuse_too_large(layer: Layer, shape: LayerShape, total: int) -> None:
    if total <= MOST_PARAMETERS:
        return
    is_alone = shape.count > MOST_PARAMETERS // 2
    where, count = ("This layer has", shape.count) if is_alone else ("With this layer the network has", total)
    message = f"{where} {count:,} parameters; {MOST_PARAMETERS:,} together are the most."
    fixes = _narrower(layer, shape.count, MOST_PARAMETERS - (total - shape.count))
    raise LayerProblem(message, "Use fewer units here or before it.", catalog.LAYERS[layer.kind].width, fixes)


def _narrower(layer: Layer, count: int, room: int) -> tuple[FixAt, ...]:
    """As many units as there is room for, where the layer's parameters grow with them in proportion."""
    kind = catalog.LAYERS[layer.kind]
    field = kind.width
    fitting = layer[field] * room // count if kind.proportional else 0
    return (change_itself(f"Set {field} to {fitting:,}", **{field: fitting}),) if fitting > 0 else ()


# --- weights set by hand, and locked ones ---


def _parameter_problems(
    values: dict[str, Any],
    layers: dict[str, LayerShape],
    known: dict[str, Shape],
    problem: Callable[[str, Any, dict[str, Shape]], Problem | None],
) -> list[Problem]:
    """What is wrong with what a document says of parameters; layers whose shape is not known are left alone."""
    hidden = {id for id, layer in layers.items() if layer.output_shape is None}
    named = ((name, value) for name, value in values.items() if split_parameter(name).layer not in hidden)
    found = list(islice((found for name, value in named if (found := problem(name, value, known))), MOST_PROBLEMS + 1))
    if len(found) > MOST_PROBLEMS:
        found[-1] = Problem(found[0].place.partition(".")[0], "There are more problems of this kind.", "Mend the others first.")
    return found
