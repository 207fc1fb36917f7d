"""Every template trains: the loss falls, stays finite, and one iteration of it is traced exactly."""

from __future__ import annotations

import math

import pytest

from nnviz import jobs
from nnviz.document.store.examples import TEMPLATES


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_loss_falls(name):
    document = jobs.open_document(f"template:{name}", ())
    first = jobs.run(document, iterations=1)
    later = jobs.run(document, iterations=60)
    assert later["stopped"] == "done" and math.isfinite(later["loss"]) and later["loss"] < first["loss"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_an_iteration_is_traced_and_equals_torch(name):
    trace = jobs.trace_record(jobs.open_document(f"template:{name}", ()), 0, "textbook")
    assert trace.worst_error < 1e-5 and {step.phase for step in trace.steps} >= {"batch", "forward", "loss", "backward", "update"}
