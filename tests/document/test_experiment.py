from __future__ import annotations

import pytest

from nnviz.document import edits
from tests.engine.test_autoencoders import autoencoder


@pytest.mark.parametrize(
    ("latent", "training", "names"),
    [("dense", {}, ()), ("dense", {"l2": 0.1}, ("L2",)), ("gaussian_latent", {}, ("KL",)), ("gaussian_latent", {"l1": 1e-3}, ("KL", "L1"))],
)
def test_what_is_added_to_the_error_is_named(latent, training, names):
    assert edits.change_training(autoencoder(latent), **training).penalties == names
