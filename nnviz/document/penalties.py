"""What the loss of a document has besides the error of the answers. Rules only; nothing is computed here."""

from __future__ import annotations

from nnviz.document.experiment import Experiment


def penalties(experiment: Experiment) -> tuple[str, ...]:
    """Return the short names of the terms that are added to the error: KL (of Gaussian latents), L1, L2."""
    training = experiment.training
    terms = {
        "KL": any(layer.kind == "gaussian_latent" for layer in experiment.network),
        "L1": training.l1 > 0,
        "L2": training.l2 > 0,
    }
    return tuple(name for name, is_there in terms.items() if is_there)
