"""What lessons may ask of the live state, beside torch or numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from nnviz.document.store.examples import open_document
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.timeline import Timeline
from nnviz.lessons.expression import ExpressionError, evaluate, number
from nnviz.lessons.facts import Facts
from nnviz.lessons.step_settings import with_settings
from nnviz.records.finding import Finding
from nnviz.records.trace_index import TraceIndex

VALLEY = "example:narrow_valley"


def curves(losses: list[float], validation: list[float] = ()) -> dict[str, np.ndarray]:
    measured = np.full(len(losses), np.nan)
    measured[-len(validation) or len(losses) :] = validation
    return {"iteration": np.arange(len(losses)), "loss": np.array(losses), "validation_loss": measured}


def test_the_norm_of_a_gradient_is_that_of_all_parameters_of_a_layer() -> None:
    timeline = Timeline(open_document("example:deep_relu"), Path())
    facts = Facts(timeline.document, TraceIndex(to_record(capture_next(timeline.trainer, "textbook"))))
    norms = {id: facts.names["gradient_norm"](id) for id in ("h1", "out")}
    for id, norm in norms.items():
        parts = [evaluate(f"gradient('{id}.{name}')", facts.names) for name in ("weight", "bias")]
        assert norm == pytest.approx(torch.cat([torch.tensor(part).flatten() for part in parts]).norm().item())
    assert facts.names["gradient_norm"]() > max(norms.values())
    with pytest.raises(ExpressionError, match="no parameter belongs to h99"):
        facts.names["gradient_norm"]("h99")


def test_the_least_of_a_curve_and_where_it_was() -> None:
    facts = Facts(open_document(VALLEY), None, curves([4, 3, 2, 1], [0.9, 0.5, 0.7]), {"b": curves([1, 5, 5])})
    assert number("lowest('validation_loss')", facts.names) == 0.5
    assert number("lowest_at('validation_loss')", facts.names) == 2
    assert number("lowest_at('loss', 'b')", facts.names) == 0
    with pytest.raises(ExpressionError, match="has not been measured"):
        number("lowest_at('validation_loss', 'b')", facts.names)


def test_the_verdict_on_a_run_of_full_batches() -> None:
    document = open_document(VALLEY)
    runs = {"falls": curves([4, 4, 3, 2, 1]), "rests": curves([4, 4, 4, 4]), "leaves": curves([4, 4, 40, 400])}
    names = Facts(document, None, runs["falls"], runs).names
    found = [names["verdict"](run) for run in ("", *runs)]
    assert found == ["falling", "falling", "flat", "diverged"]
    small = Facts(with_settings(document, {"training.batch_size": 2}), None, runs["falls"]).names
    with pytest.raises(ExpressionError, match="every batch has all rows"):
        small["verdict"]()


def test_linear_algebra() -> None:
    matrix = "[[2, 1], [1, 2]]"
    assert np.allclose(evaluate(f"eigenvalues({matrix})", {}), [1, 3])
    assert np.allclose(evaluate(f"inverse({matrix}) @ {matrix}", {}), np.eye(2))
    assert number("var([1, 2, 3, 6])", {}) == 3.5 and number("sum(sign([-2, 0, 3, 4]))", {}) == 1
    with pytest.raises(ExpressionError, match="cannot be worked out"):
        evaluate("inverse([[1, 2], [2, 4]])", {})


def test_what_the_doctor_has_found_and_where() -> None:
    found = [Finding("vanishing", "h1", "It does.", "0.1"), Finding("diverging", "data", "Perhaps.", "2", is_information=True)]
    names = Facts(open_document(VALLEY), findings=found).names
    assert (names["findings"], names["found_at"]("vanishing"), names["found_at"]("saturated")) == (1, "h1", "")
    assert names["found"]("diverging") and not names["found"]("saturated")
