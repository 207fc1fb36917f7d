"""How the network is trained: loss, optimizer, schedule, batch and regularisation, as plain frozen values."""

from __future__ import annotations

import msgspec

from nnviz.document.network import Choice


class Training(msgspec.Struct, frozen=True):
    """Everything of an experiment that is neither the network nor the data."""

    optimizer: Choice
    schedule: Choice
    loss: str = "cross_entropy"
    batch_size: int | None = 32
    """Rows per iteration; None takes the whole training set at once."""
    l1: float = 0.0
    """Adds l1 · Σ|w| over all weights to the loss; not over biases, nor γ and β of normalisations."""
    l2: float = 0.0
    """Adds l2/2 · Σw² over all weights to the loss, as l1; under plain SGD the same as torch's weight_decay."""
    clip_norm: float | None = None
    """Largest norm of all gradients together, as torch.nn.utils.clip_grad_norm_."""
    clip_value: float | None = None
    """Largest absolute value of a gradient element, as torch.nn.utils.clip_grad_value_."""
    dropout: bool = True
    """Master switch: False makes every dropout, also that inside recurrent layers, pass its input unchanged."""
    early_stopping: int | None = None
    """Stop after this many epochs without a better validation loss, and restore the best weights."""
    target: str = "labels"
    """labels: what the data says about a row · input: the row itself, which the network is to reproduce (an autoencoder) · adversarial:
    whether a row is real or generated (a GAN, whose two sides learn in turn)."""
