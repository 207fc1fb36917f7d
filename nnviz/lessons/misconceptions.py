"""Documented wrong ideas about backpropagation and training, by the name lessons call them: what is said of who shows one."""

from __future__ import annotations

MISCONCEPTIONS = {
    "updated_too_early": "Your gradient goes through the weight as it is after the update; backward uses the weight of the forward pass.",
    "local_derivative_left_out": "The local derivative is missing: multiply the gradient that arrives by f′ of this node.",
    "inner_left_out": "The inner derivative is missing: (f∘g)′ = f′(g(x)) · g′(x).",
    "outer_at_x": "The outer derivative is taken at the wrong place: f′ belongs at g(x), the value that f was given.",
    "not_summed": "Only one contribution is there; a value that is used several times gets the sum over all its uses.",
    "rows_not_summed": "Only one row of the batch is there; a parameter gets the sum over all rows.",
    "twice": "This is twice the gradient, as if backward had been run twice without setting the gradients to 0 between.",
    "zero_for_not_yet": "0 is a gradient; one that has not been computed yet is not 0. Compute it, or leave it out.",
    "sum_for_mean": "This is the sum where the loss takes the mean: divide by the number it is the mean of.",
    "mean_for_sum": "This is divided by the size of the batch once too often.",
    "half_loss": "The factor 2 of the square is missing: this loss is the mean of (ŷ − y)², without ½ in front.",
    "sign": "The sign is turned: ∂L/∂ŷ goes with ŷ − y, and the gradient is what an update subtracts.",
    "transposed": "This is the transposed matrix: a weight's gradient has the shape of the weight, (outputs, inputs).",
    "l2_left_out": "The regularisation is missing: the penalty in the loss adds its own derivative to this gradient.",
    "clipping_left_out": "That is ∂L/∂θ before clipping: this iteration clips, and the optimizer is given a smaller gradient.",
    "activation_left_out": "The activation was left out: that is z, before f.",
    "bias_left_out": "The bias was left out.",
    "descent_is_backprop": "Backpropagation only computes gradients. Gradient descent is what the optimizer then does with them.",
    "noise_for_rate": "Swings can come from small batches as well as from a large rate: an experiment tells them apart.",
}
"""Name -> one or two sentences. Sources of the ideas: the issues of micrograd (#53, #72), data-science-from-scratch (#31),
Toy-Neural-Network-JS (#72), nn-zero-to-hero (#80) and udlbook (#152)."""


def explained(idea: str) -> str:
    """Return what is said of an idea: of a misconception by its name, or the sentence itself."""
    return MISCONCEPTIONS.get(idea, idea)
