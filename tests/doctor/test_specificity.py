"""Examples and templates that learn give no finding at any time; those that are made to be ill give theirs. README.md says of how many."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nnviz.document.store import examples
from tests.doctor.going import diagnoses

ITERATIONS = 400
ILL = {
    "example:deep_sigmoid": {"vanishing"},
    "example:dropout_by_hand": {"mode_gap", "symmetric_start"},
    "example:exploding": {"start_loss", "non_finite"},
    "example:learning_rate": {"rate_too_large"},
    "example:overfitting": {"overfitting"},
    "example:unscaled": {"input_scale", "dead_relu"},
    "template:deep_sigmoid": {"vanishing"},
}
"""What is made to be ill, and what has to be found of it, if only as information."""
DOCUMENTS = [
    *(f"{examples.PREFIX}{name}" for name in examples.example_names()),
    *(f"{examples.TEMPLATE_PREFIX}{name}" for name in examples.TEMPLATES),
]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_found_of_examples_and_templates(name: str) -> None:
    found = [one for _, found in diagnoses(examples.open_document(name), ITERATIONS) for one in found]
    if name in ILL:
        assert ILL[name] <= {one.kind for one in found}
    else:
        assert not {one.kind for one in found if not one.is_information}


def test_the_readme_says_how_many_were_watched() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    healthy, iterations = re.search(r"(\d+) healthy examples and templates over ([\d,]+) iterations", readme).groups()
    assert int(healthy) == len(DOCUMENTS) - len(ILL) and int(iterations.replace(",", "")) == ITERATIONS
