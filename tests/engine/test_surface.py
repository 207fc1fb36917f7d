"""The map of one unit over the plane: torch's own answer at every grid point, and nothing of the run has moved."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nnviz.document import edits
from nnviz.document.store.examples import open_document
from nnviz.engine.data.datasets import load
from nnviz.engine.errors import BuildError
from nnviz.engine.observe.surface import GRID, LINE, surface, unit_map
from nnviz.engine.run.trainer import Trainer, digest
from tests.engine.experiments import HERE


def trainer(example: str = "moons", dropout: bool = False) -> Trainer:
    experiment = edits.set_precision(open_document(f"example:{example}"), "float64")
    if dropout:
        experiment = edits.add_layer(experiment, "dropout", between=("h1", "h2"))
    made = Trainer(experiment, load(experiment, HERE))
    for _ in range(3):
        made.advance()
    return made


def values(array) -> np.ndarray:
    return np.frombuffer(array.data, array.dtype).reshape(array.shape)


def grid(at: Trainer) -> torch.Tensor:
    """(height, width, 2): what stands at each point of the picture."""
    found = surface(at)
    x, y = (torch.linspace(low, high, GRID, dtype=torch.float64) for low, high in zip(found.low, found.high, strict=True))
    return torch.stack([x.expand(GRID, GRID), y[:, None].expand(GRID, GRID)], -1)


@pytest.mark.parametrize("unit", [0, 3])
def test_it_is_torchs_own_answer_at_every_point(unit):
    at = trainer(dropout=True)
    weight, bias = at.parameters["h1.weight"], at.parameters["h1.bias"]
    hidden = torch.relu(grid(at) @ weight.T + bias)
    expected = torch.relu(hidden @ at.parameters["h2.weight"].T + at.parameters["h2.bias"])[..., unit]
    assert np.allclose(values(unit_map(at, "h1", unit)), hidden[..., unit].detach().numpy(), rtol=1e-6, atol=1e-6)
    assert np.allclose(values(unit_map(at, "h2", unit)), expected.detach().numpy(), rtol=1e-6, atol=1e-6)  # nothing is dropped


def test_an_input_is_its_feature_and_a_line_is_a_line():
    at = trainer()
    assert np.allclose(values(unit_map(at, "x", 1)), grid(at)[..., 1].numpy(), atol=1e-6)
    assert values(unit_map(trainer("sine"), "h1", 0)).shape == (LINE,)


def test_looking_moves_nothing():
    at, other = trainer(dropout=True), trainer(dropout=True)
    unit_map(at, "h1", 0)
    before = at.activations["h1"]
    at.advance()
    other.advance()
    assert digest(at.net) == digest(other.net) and before is not None


@pytest.mark.parametrize(
    ("example", "layer", "unit", "told"), [("moons", "h9", 0, "h9"), ("moons", "h1", 99, "99"), ("iris", "h1", 0, "1 or 2")]
)
def test_what_is_not_there_is_a_sentence(example, layer, unit, told):
    with pytest.raises(BuildError, match=told):
        unit_map(trainer(example), layer, unit)
