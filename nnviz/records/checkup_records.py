"""What is measured of a training for the doctor: little at many iterations, more at a few, and what holds from the start."""

from __future__ import annotations

import msgspec


class LayerCheckup(msgspec.Struct, frozen=True, array_like=True):
    """The weights of one layer that is trained: its parameters with two axes or more, without biases and scales of a norm."""

    layer: str
    weight_rms: float
    """√mean θ² before the update."""
    gradient_rms: float
    """√mean g² over its elements, before any clipping."""
    update_rms: float
    """√mean Δθ² of the update."""
    bias_gradient_rms: float | None = None
    """√mean g² over the biases, before any clipping: what comes back to the layer, whatever it takes in. None where it has none."""

    @property
    def update_ratio(self) -> float:
        """‖Δθ‖/‖θ‖; infinite where all weights were 0 and moved, 0 where nothing did."""
        if self.weight_rms:
            return self.update_rms / self.weight_rms
        return float("inf") if self.update_rms else 0.0


class FunctionCheckup(msgspec.Struct, frozen=True, array_like=True):
    """The activation function of one layer over the batch of the iteration."""

    layer: str
    function: str
    """As the catalog names it; those are looked at that can be flat: relu, sigmoid, tanh."""
    units: int
    """Neurons; of a convolution its channels."""
    flat_units: int
    """Of a ReLU: how many units are 0 for the whole batch. Of the others: for how many the derivative is below 5 % of its largest for more
    than half of the rows."""


class WholeCheckup(msgspec.Struct, frozen=True, array_like=True):
    """What only all training rows can tell (the first `rows` of them), with the weights after the iteration, in evaluation mode."""

    rows: int
    loss: float
    """Without penalties."""
    permuted_loss: float
    """The same with the answers handed to other rows: what remains if the inputs say nothing."""
    training_mode_loss: float | None
    """The same with dropout, noise and the batches' own statistics; None for a net that has none of them."""
    dead_units: dict[str, tuple[int, ...]]
    """By layer the units of a ReLU that are 0 on all these rows."""
    recalls: tuple[float, ...] = ()
    """Of every class, the share of its rows that is answered with it (0 to 1; NaN for a class without rows); none for numbers."""
    symmetric_units: dict[str, tuple[int, ...]] = {}
    """By layer the units that have a twin, as at the start."""


class Checkup(msgspec.Struct, frozen=True, array_like=True):
    """What was measured of one iteration, its update made."""

    iteration: int
    """How many iterations were finished then."""
    loss: float
    """Of its batch, as the curve has it."""
    layers: tuple[LayerCheckup, ...]
    """In forward order."""
    functions: tuple[FunctionCheckup, ...]
    gradient_norm: float
    """Of all parameters together, before any clipping."""
    penalty_ratio: float | None
    """‖∇penalty‖/‖∇(loss − penalty)‖ for the penalties on weights; None where there are none."""
    whole: WholeCheckup | None = None
    """None where it was not the time for it."""


class StartFacts(msgspec.Struct, frozen=True, array_like=True):
    """What is known of a run from its start: its rows, scaled as they are trained on, and the weights it begins with."""

    rows: int
    """How many are trained on."""
    means: tuple[float, ...]
    """Of every column of the input; none where columns are no quantities of their own: images, sequences, tokens."""
    stds: tuple[float, ...]
    class_counts: tuple[int, ...]
    """Rows of every class that are trained on; none for numbers."""
    constant_loss: float
    """The least loss that an answer reaches which is the same for all rows."""
    start_loss: float
    """Over all training rows with the weights of the start, without penalties."""
    symmetric_units: dict[str, tuple[int, ...]]
    """By layer the units that have a twin: bit by bit the same weights in and out, so that they are trained alike."""
    weights: dict[str, float] = {}
    """√mean θ² of every layer that is trained, as in its checkups."""
    targets: tuple[float, float] | None = None
    """The least and the largest target, as the loss takes them; None for classes."""
