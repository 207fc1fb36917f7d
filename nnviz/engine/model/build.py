"""From the document to a torch module; nothing is allocated before the document has been examined."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

from nnviz.document.catalog import LAYERS
from nnviz.document.checks.training_checks import numbers_per_row, row_problems
from nnviz.document.experiment import Experiment
from nnviz.document.network import Network
from nnviz.document.problems import Problem
from nnviz.document.shapes.report import Report, examine
from nnviz.engine.data.datasets import Data
from nnviz.engine.errors import BuildError
from nnviz.engine.model._initializers import initialize
from nnviz.engine.model._layer_builders import BUILDERS

DTYPES = {"float32": torch.float32, "float64": torch.float64}


class Net(nn.Module):
    """The layers of a network, each a submodule under exactly its id, run in the order of their links.

    `outputs` holds what every layer put out in the last forward; `width` is the size of the network's output. Modes are set with
    `set_training`, because a layer may be called "training".
    """

    def __init__(self, network: Network, report: Report) -> None:
        super().__init__()
        layers = network.in_order()
        self.entry = next(layer.id for layer in layers if layer.kind == "input")
        self.exit = report.output
        self.input_shape = tuple(network.layer(self.entry)["shape"])
        self.numbers_per_row = numbers_per_row(report.layers)
        self.width = prod(report.layers[report.output].output_shape)
        self.plan = tuple((layer.id, network.inputs_of(layer.id)) for layer in layers if layer.kind != "input")
        self.outputs: dict[str, Tensor] = {}
        for layer in layers:
            if layer.kind != "input":
                shapes = [report.layers[source].output_shape for source in network.inputs_of(layer.id)]
                self._modules[layer.id] = BUILDERS[layer.kind](layer, shapes)

    def forward(self, x: Tensor) -> Tensor:
        values = self.__dict__["outputs"] = {self.entry: x}  # an assignment would fail if a layer is called so
        modules = self._modules
        for layer, sources in self.plan:
            values[layer] = modules[layer](*[values[source] for source in sources])
        return values[self.exit]


def set_training(net: Net, training: bool) -> None:
    """Put the network into training or evaluation mode, whatever its layers are called."""
    if net.__dict__["training"] is not training:
        net.__dict__["training"] = training
        for module in net.children():
            module.train(training)


def check(experiment: Experiment, data: Data) -> Report:
    """Return what the document amounts to. Raises BuildError for the first thing that is wrong with it or does not fit its data."""
    report = examine(experiment)
    _refuse(report.problems)
    _check_data(experiment, report, data)
    _check_lookups(experiment, data)
    held_out = int((~data.training).sum())
    _refuse(row_problems(experiment, (len(data.training) - held_out, held_out)))
    return report


def _refuse(problems: Sequence[Problem]) -> None:
    for problem in problems:
        raise BuildError(problem.place, problem.message, problem.cure)


def build(experiment: Experiment, data: Data) -> Net:
    """Return the network of a document as it starts. Raises BuildError as `check` does."""
    net = Net(experiment.network, check(experiment, data)).to(DTYPES[experiment.precision])
    for layer in experiment.network:
        if layer.kind != "input":
            initialize(net._modules[layer.id], layer, experiment.seed)
    set_weights(net, experiment.weights)
    apply_switches(net, experiment)
    return net


def set_weights(net: Net, weights: dict[str, list | float]) -> None:
    """Set parameters and running statistics by name from nested lists. Raises BuildError where a name or a shape does not fit."""
    parameters = dict(net.named_parameters()) | dict(net.named_buffers())
    for name, values in weights.items():
        if name not in parameters:
            raise BuildError(f"weights.{name}", "No parameter has this name.", f"There is: {', '.join(parameters)}.")
        given = torch.tensor(values, dtype=torch.float64)
        if given.shape != parameters[name].shape:
            found, wanted = list(given.shape), list(parameters[name].shape)
            raise BuildError(
                f"weights.{name}", f"The values are of shape {found}, and the parameter has shape {wanted}.", "Give it that shape."
            )
        with torch.no_grad():
            parameters[name].copy_(given)


def apply_switches(net: Net, experiment: Experiment) -> None:
    """Set what may change without rebuilding: which layers are frozen, and whether dropout drops."""
    for layer in experiment.network:
        module = net._modules.get(layer.id)
        if module is None:
            continue
        module.requires_grad_(not layer.frozen)
        for part in module.modules():
            if hasattr(part, "enabled"):  # whatever drops elements
                part.enabled = experiment.training.dropout


def _check_data(experiment: Experiment, report: Report, data: Data) -> None:
    """The document's own check knows only the sizes of built-in data; rows that had to be read are checked here."""
    entry = next(index for index, layer in enumerate(experiment.network.layers) if layer.kind == "input")
    shape = experiment.network.layers[entry]["shape"]
    features = data.x.shape[1]
    if prod(shape) != features:
        message = f"The data has {features} features per row, and the input layer takes {prod(shape)}."
        raise BuildError(f"network.layers[{entry}].shape", message, f"Set the shape of the input layer to [{features}].")
    loss, units = experiment.training.loss, report.layers[report.output].output_shape
    is_copy = experiment.training.target == "input"
    if loss == "bce" and data.classes != 2 and not is_copy:
        raise BuildError(
            "training.loss", f"Binary cross-entropy tells two classes apart, and the data has {data.classes}.", "Choose cross-entropy."
        )
    if loss == "cross_entropy" and not data.classes:
        raise BuildError("training.loss", "Cross-entropy needs classes, and the targets are numbers.", "Choose mean squared error.")
    allowed = (features,) if is_copy else allowed_outputs(loss, data)
    if units not in [(count,) for count in allowed]:
        place = next(index for index, layer in enumerate(experiment.network.layers) if layer.id == report.output)
        title = experiment.network.titles[report.output]
        message = f"The data needs an output of {' or '.join(map(str, allowed))} units, and {title} puts out {list(units)}."
        raise BuildError(f"network.layers[{place}].units", message, f"Set its units to {allowed[-1]}.")


def _check_lookups(experiment: Experiment, data: Data) -> None:
    """Layers that look up whole numbers stand behind the input, as the document has checked; the rows must hold what they know."""
    for index, layer in enumerate(experiment.network):
        field = LAYERS[layer.kind].vocabulary
        if not field or not data.x.size:
            continue
        wrong = data.x[(data.x % 1 != 0) | (data.x < 0)]
        if wrong.size:
            message = f"{layer.title} looks up whole numbers from 0 up, and the data holds {wrong.flat[0]:g}."
            raise BuildError(f"network.layers[{index}]", message, "Take data of whole numbers, or remove this layer.")
        if data.x.max() >= layer[field]:
            message = f"{layer.title} knows the numbers 0 to {layer[field] - 1}, and the data holds {data.x.max():g}."
            raise BuildError(f"network.layers[{index}].{field}", message, f"Set {field} to {int(data.x.max()) + 1}.")


def allowed_outputs(loss: str, data: Data) -> tuple[int, ...]:
    """Return how many units the output may have under this loss, for this data."""
    if loss == "bce":
        return (1,)
    if not data.classes:
        return (data.y.shape[1],)
    return (1, 2) if data.classes == 2 and loss != "cross_entropy" else (data.classes,)
