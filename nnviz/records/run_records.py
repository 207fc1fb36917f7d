"""What is told of a run: its curves, measures, predictions, one weight's history, the breakpoint that stopped it."""

from __future__ import annotations

import msgspec

from nnviz.document.breakpoints import Breakpoint
from nnviz.records.tensors import Array, Measure


class CurvePoint(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One point of the curves: iteration k. All but `loss` is of the weights after k updates, with chance switched off, and None except
    where it was measured. A long run has millions: of numbers alone, they need no room for the garbage collector's notes."""

    iteration: int
    loss: float
    """Of the batch of iteration k, before its update, as torch returns it to a training loop; for iteration 0 `training_loss`."""
    validation_loss: float | None = None
    """The same sum as `loss`, with all penalties, over the validation rows."""
    metric: float | None = None
    """Over the validation rows: accuracy (0 to 1) for classes, root mean squared error for regression."""
    training_loss: float | None = None
    """The same sum over all training rows."""
    training_metric: float | None = None
    """The metric over all training rows."""
    learning_rate: float | None = None
    """η of the update of iteration k, as the schedule had it; None for iteration 0, which has none."""


class CurvePoints(msgspec.Struct, frozen=True, array_like=True):
    """Many points of the curves, column by column: they are read at once, however long the run is."""

    iterations: Array
    """(points,) int64, increasing."""
    losses: Array
    """(points,) float64"""
    measured: Array
    """(measured,) int64: places of the points that have more than a loss."""
    figures: Array
    """(measured, 4) float64: what these have, in the order of a point's fields; NaN for None."""
    rates: Array | None = None
    """(points,) float64: their learning rates; NaN for None. None where none is known."""


class Goal(msgspec.Struct, frozen=True):
    """What training goes on until."""

    figure: str
    """loss (of a batch) · training_loss · validation_loss · metric · training_metric; the last four whenever they are measured."""
    comparison: str
    """below · above"""
    threshold: float

    def is_reached(self, point: CurvePoint) -> bool:
        """Return whether it holds at this point; a figure that was not measured reaches nothing."""
        value = getattr(point, self.figure)
        if value is None:
            return False
        return value < self.threshold if self.comparison == "below" else value > self.threshold


FIGURES = {
    "loss": "loss of the batch",
    "training_loss": "training loss",
    "validation_loss": "validation loss",
    "metric": "validation score",
    "training_metric": "training score",
}
"""What the figures of a goal are called."""


def goal_reached(goal: Goal, point: CurvePoint, score: str = "score") -> str:
    """Return the sentence that says so. `score`: what the metric is called."""
    value, figure = getattr(point, goal.figure), FIGURES[goal.figure].replace("score", score)
    return f"Iteration {point.iteration:,}: the {figure} is {value:.4g}, {goal.comparison} {goal.threshold:g}."


class LayerMeasures(msgspec.Struct, frozen=True):
    """One layer with parameters at one iteration."""

    layer: str
    weights: Measure
    """Of its weight."""
    gradients: Measure
    """Of all its parameters together, biases included, before any clipping."""
    activations: Measure
    update_ratio: float | None = None
    """‖Δθ‖/‖θ‖ of the last update, θ being the parameters before it: infinite where they were all 0. None before the first update, and
    where what was before is not known."""
    updates: Measure | None = None
    """Of what the last update added to all its parameters; None as for the ratio, and where it was not asked for."""


class LayerSteps(msgspec.Struct, frozen=True):
    """How far the last update moved the parameters of one layer."""

    layer: str
    mean: float
    """The mean of |Δθ| over its finite elements."""
    rates: tuple[float, ...] = ()
    """5, 25, 50, 75 and 95 % of the parameters have a step size of at most this: η/(√v̂+ε), which the optimizer multiplies with the
    (mean) gradient of each. Empty for an optimizer without a second moment: there it is η for all."""
    non_finite: int = 0


class FunctionUse(msgspec.Struct, frozen=True):
    """Where the values of one activation function of a layer fall, over the batch that comes next."""

    function: str
    units: int
    """Neurons; of a convolution its channels."""
    z: Measure
    """Of what the function is applied to."""
    curve: Array
    """(3, points) float64: z, f(z), f′(z) around these values, z increasing."""
    saturated: int | None = None
    """How many values have a derivative below 5 % of the largest one; None for a function that has no flat side, or is flat at 0."""
    saturated_units: int | None = None
    """How many units have it so for all rows."""
    dead: int | None = None
    """How many units of ReLU are 0 for all rows; None for another function."""


class LayerOutputs(msgspec.Struct, frozen=True):
    """What one layer puts out for the batch that comes next, with the weights as they are. Statistics are over the finite elements."""

    layer: str
    mean: float
    """In training mode: with dropout, noise and sampling on, and the batch's own mean and variance."""
    std: float
    """In training mode."""
    start_std: float | None = None
    """The same with the weights the network starts with, over the first batch; None where it was not asked for."""
    evaluation_mean: float | None = None
    """The mean in evaluation mode, over the same rows; None where it was not asked for."""
    non_finite: int = 0
    functions: tuple[FunctionUse, ...] = ()
    """Its activation functions, element by element ones only; none where they were not asked for."""


class Surface(msgspec.Struct, frozen=True):
    """The network's answer over the plane of the first two features (or over the line of the only one)."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    output: Array
    """(height, width, outputs) for two features, rows from low to high x₂; (width, outputs) for one. Probabilities for classes."""
    generated: Array | None = None
    """(rows, features) Rows that the network's generator makes, always of the same random numbers; None where it has none."""


class Predictions(msgspec.Struct, frozen=True):
    """What the network answers to rows of the data, and how good that is."""

    rows: Array
    """(rows,) Which rows of the data: those trained on first."""
    values: Array
    """(rows,) class numbers, −1 where the outputs of a row are not all finite and answer nothing; or (rows, targets)."""
    sure: Array
    """(rows,) The probability of the class that is answered; empty for regression."""
    scores: dict[str, float]
    """Over all validation rows (all training rows, if there are none): accuracy, precision, recall, f1 (0 to 1), the last three as means
    over the classes; or mse, mae, rmse. Empty where a row is not answered."""
    confusion: Array | None = None
    """(classes, classes) How often class j (column) was answered where class i (row) is true, over the same rows."""
    scored: int = 0
    """How many rows that are; `rows` may hold fewer of them."""


class WeightHistory(msgspec.Struct, frozen=True):
    """One weight over the last iterations that were made: four equally long arrays, oldest first."""

    parameter: str
    element: tuple[int, ...]
    iterations: Array
    """How many iterations were finished after each."""
    values: Array
    """The weight after the iteration."""
    gradients: Array
    """The gradient the optimizer was given, clipped if gradients are."""
    steps: Array
    """What the optimizer added."""


class BreakpointHit(msgspec.Struct, frozen=True):
    """A breakpoint that stopped training, where, and the value it stopped at."""

    breakpoint: Breakpoint
    place: str = ""
    """A layer's id, a parameter's name, "loss", or the target of a breakpoint on a node."""
    value: float | None = None
    """The magnitude that passed the threshold, the loss, or how many elements are not finite."""
