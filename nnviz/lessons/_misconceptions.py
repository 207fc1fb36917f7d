"""Documented wrong ideas about backpropagation and training, by the name lessons call them: what is said of who shows one."""

from __future__ import annotations

MISCONCEPTIONS = {
    "updated_too_early": "That is the gradient with the weight already updated. Backward uses the weights of forward; updates come later.",
    "local_derivative_left_out": "The local derivative is missing: the gradient from above is multiplied by f′(z) of the node it passes.",
    "not_summed": "That is one of the contributions. A value that is used several times gets the sum of what all its uses send back.",
    "twice": "That is twice the gradient: as if backward had been run twice without setting the gradients to 0 between.",
    "zero_for_not_yet": "0 is a gradient. What has not been computed yet has none.",
    "sum_for_mean": "That is the sum over the batch. This loss is the mean, so each row counts 1/n.",
    "mean_for_sum": "That is divided by the number of rows once too often.",
    "sign": "The sign is turned: the loss compares ŷ − y, and an update goes against the gradient.",
    "transposed": "That is transposed: rows and columns of the outer product have changed places.",
    "outer_at_x": "The outer derivative has to be taken at g(x), not at x.",
    "inner_left_out": "The inner derivative is missing: (f∘g)′ = f′(g(x)) · g′(x).",
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
