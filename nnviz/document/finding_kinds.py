"""One table: what the doctor can find, in the order in which causes come before what they lead to, and the bounds it judges by.

A document keeps what differs from this table, by kind: `{"vanishing": {"ratio": 1e-4}, "plateau": {"enabled": false}}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnviz.document.catalog import Field, Kind

ENABLED = Field("enabled", "boolean", True, "whether it is looked for")
"""Every kind has this field besides its bounds."""


def _bound(name: str, default: float, explanation: str, maximum: float = 1e12) -> Field:
    return Field(name, "number", default, explanation, 0.0, maximum)


_ALL = (
    Kind("non_finite", "Not finite", "a value of the next iteration is NaN or infinite, so that it cannot be made", group="exact"),
    Kind("output_range", "Last layer and loss", "the last layer cannot answer what the loss asks for", group="document"),
    Kind("no_non_linearity", "No non-linearity", "two layers with only linear maps between them are no more than one", group="document"),
    Kind("symmetric_start", "Symmetric start", "units of a layer have the same weights in and out: they are trained alike", group="exact"),
    Kind("input_scale", "Input scale", "columns of the input lie far from 0, differ much in size, or are constant", (
        _bound("offset", 3.0, "the largest |mean|/std of a column"), _bound("spread", 10.0, "the largest std over the smallest")),
        source="at a spread of 10 plain descent takes about 100 times as many steps along one column as along another"),
    Kind("exploding", "Exploding gradients", "gradients grow from layer to layer on their way back, or are clipped all the time", (
        _bound("ratio", 1e3, "the RMS of the gradient of the first layer over that of the last"),
        _bound("clipped", 0.9, "the share of iterations in which gradients are clipped to a tenth or less", 1.0)),
        source="70 healthy nets of 1 to 8 layers: a ratio of 3 at most for long, once of 40"),
    Kind("start_loss", "Loss at the start", "before any training the answers are sure, and wrong", (
        _bound("excess", 3.0, "by how many times the loss of a constant answer the first loss exceeds it"),),
        source="70 healthy nets: 1.1 at most; a sum of ten layers 5.3, and it came down in 15 iterations"),
    Kind("penalty_dominates", "Penalty dominates", "the penalty pulls at the weights more than the data does", (
        _bound("ratio", 2.0, "‖∇penalty‖/‖∇data‖"),),
        source="where weights are at rest it is 1; 70 healthy nets: 1.05 at most for long"),
    Kind("diverging", "Diverging", "the loss rises far above where it was and does not come back", (
        _bound("rise", 2.0, "the loss over its least so far"), _bound("update", 1.0, "‖Δθ‖/‖θ‖ of an update")),
        source="70 healthy nets: a loss that has shot up is back within 20 iterations"),
    Kind("rate_too_large", "Learning rate too large", "updates are so large that the loss swings about a level it should pass", (
        _bound("update", 0.1, "the median over the layers of ‖Δθ‖/‖θ‖"),),
        source="150 healthy nets: 0.07 at most for long"),
    Kind("dead_relu", "Dead ReLU", "units of a ReLU are 0 on every training row: no gradient comes through them", (
        _bound("share", 0.75, "the share of the units of a layer; fewer are information", 1.0),),
        source="70 healthy nets: a third at most, but for two of 6 units a layer, of which one was left"),
    Kind("saturated", "Saturated units", "the activation function is flat where most values fall", (
        _bound("share", 0.5, "the share of the units of a layer that are flat on more than half of the rows", 1.0),),
        source="flat is a derivative below 5 % of its largest: tanh beyond |z| = 2.18, sigmoid beyond 4.36; 70 healthy nets: half at most"),
    Kind("vanishing", "Vanishing gradients", "gradients shrink from layer to layer on their way back, and the first layers hardly move", (
        _bound("ratio", 1e-3, "the RMS of the gradient of the first layer over that of the last"),
        _bound("update", 1e-5, "‖Δθ‖/‖θ‖ of the first layer")),
        source="70 healthy nets: a ratio of 0.02 at least for long"),
    Kind("rate_too_small", "Learning rate too small", "updates are so small that nothing is learnt in reasonable time", (
        _bound("update", 1e-5, "the median over the layers of ‖Δθ‖/‖θ‖"),),
        source="150 healthy nets: 2.6e-5 at least for long, while they learn"),
    Kind("data_ignored", "Data ignored", "the loss is the same when the inputs belong to other rows", (
        _bound("change", 0.02, "by what share the loss changes"),),
        source="a line fitted to chance over 350 rows: 0.012"),
    Kind("overfitting", "Overfitting", "the training loss falls, and the validation loss rises", (
        _bound("rise", 1.25, "the validation loss over its least"),
        Field("checks", "integer", 10, "how many measurements ago that was", 1, 1000)),
        source="healthy examples: what creeps up is a small part of the loss of a constant answer"),
    Kind("mode_gap", "Training and evaluation differ", "with dropout or batch norm the loss differs in evaluation, at equal weights", (
        _bound("gap", 0.5, "by what share they differ"),),
        source="70 healthy nets: in evaluation 0.13 of the loss of a constant answer worse at most, in training 0.27"),
    Kind("class_imbalance", "Class imbalance", "the rows of a rare class are mostly answered with another", (
        _bound("ratio", 10.0, "rows of the largest class over those of the smallest"),
        _bound("recall", 0.3, "the share of the rare class's rows that is answered rightly", 1.0)),
        source="at 1 in 10 a net that answers the frequent class alone is right nine times of ten"),
    Kind("plateau", "Plateau", "the loss has stopped where a constant answer would be", (
        _bound("change", 1e-3, "range over mean of the loss over all rows"),
        Field("iterations", "integer", 50, "over how many iterations, and 20 epochs at least", 10, 100_000)),
        source="70 healthy nets that have not begun to learn: 0.05 at least"),
)  # fmt: skip

FINDING_KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}


def bounds_of(kind: str, changed: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the bounds of a kind of finding, and whether it is looked for. `changed`: what a document has otherwise."""
    return {ENABLED.name: ENABLED.default, **FINDING_KINDS[kind].defaults, **changed.get(kind, {})}
