"""Why a layer cannot be as wide as it was asked to be: what it would need, estimated before anything is allocated."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from nnviz.document import catalog
from nnviz.document.checks.training_checks import memory
from nnviz.document.experiment import Experiment
from nnviz.document.fields import expected
from nnviz.document.network import Layer
from nnviz.document.problems import Refused
from nnviz.document.shapes.report import examine
from nnviz.document.shapes.rules import RULES, LayerProblem

_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


def refuse_too_wide(experiment: Experiment, layer: Layer, settings: dict[str, Any]) -> None:
    """Raise Refused, with the memory it would need, where a setting makes the layer wider than the catalog allows."""
    kind = catalog.LAYERS[layer.kind]
    name, value = kind.width, settings.get(kind.width)
    if type(value) is int and value > kind.field(name).maximum:
        message = f"{layer.title} cannot have {value:,} {name.replace('_', ' ')}{_needs(experiment, layer, {name: value})}."
        raise Refused(message, f"Give {expected(kind.field(name))}.")


def _needs(experiment: Experiment, layer: Layer, wish: dict[str, int]) -> str:
    """How many parameters and bytes that would be, as the end of a sentence; empty where what comes in is not known."""
    report = examine(experiment)
    sources = [report.layers[id].output_shape for id in experiment.network.inputs_of(layer.id) if id in report.layers]
    try:
        shape = RULES[layer.kind](replace(layer, settings=layer.settings | wish), *sources)
    except (LayerProblem, TypeError):  # no input, too many, or of a shape not known
        return ""
    needed = memory(experiment, {layer.id: shape})
    return f": {shape.count:,} parameters and about {written_bytes(needed)} of memory"


def written_bytes(count: int) -> str:
    """Return a number of bytes as a person says it: 12.5 GB."""
    power = min(len(_UNITS) - 1, max(0, (count.bit_length() - 1) // 10))
    return f"{count / (1 << 10 * power):,.{1 if power else 0}f} {_UNITS[power]}"
