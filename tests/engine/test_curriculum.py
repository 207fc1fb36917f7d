"""What the examples are to show is really there: each claim of the course, measured on runs of the engine."""

from __future__ import annotations

import pytest

from nnviz.records.verdicts import VERDICTS
from tests.engine.runs_of_examples import judged

# --- C1: four learning rates ---


@pytest.mark.parametrize(
    ("name", "batch_size", "rates"),
    [
        ("sine", "none", (1e-5, 0.03, 0.3, 1)),
        ("sine", 32, (1e-5, 0.03, 0.3, 1)),
        ("iris", "none", (0.0003, 0.3, 5, 30)),
        ("xor", "none", (0.003, 1, 10, 30)),
        ("spiral", 32, (0.0003, 0.1, 1, 10)),
    ],
)
def test_four_learning_rates_end_in_four_ways(name, batch_size, rates):
    found = [judged(name, 300, optimizer="sgd", rate=rate, batch_size=batch_size) for rate in rates]
    assert tuple(one.kind for one in found) == VERDICTS
    assert found[2].is_converging and found[1].end < found[0].end
