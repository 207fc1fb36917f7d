"""Every kind of layer as the document announces it, trained and traced."""

from __future__ import annotations

import pytest

from nnviz.document.catalog import LAYERS
from nnviz.document.shapes.report import examine
from nnviz.engine.data.datasets import load
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.run.trainer import Trainer
from tests.engine.experiments import HERE
from tests.engine.kinds import EXPERIMENTS


def trainer_of(name: str) -> Trainer:
    return Trainer(EXPERIMENTS[name], load(EXPERIMENTS[name], HERE))


def test_no_kind_is_left_out():
    assert {layer.kind for document in EXPERIMENTS.values() for layer in document.network} == set(LAYERS)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_it_is_what_the_document_announces(name):
    report, trainer = examine(EXPERIMENTS[name]), trainer_of(name)
    assert report.ok, report.problems
    announced = {f"{id}.{tensor}": shape for id, layer in report.layers.items() for tensor, shape in layer.parameters.items()}
    assert {parameter: tuple(tensor.shape) for parameter, tensor in trainer.parameters.items()} == announced
    trainer.differentiate(trainer.rows())
    assert {id: tuple(value.shape[1:]) for id, value in trainer.net.outputs.items()} == {
        id: layer.output_shape for id, layer in report.layers.items()
    }


@pytest.mark.parametrize("detail", ["layer", "textbook", "math"])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_it_trains_and_is_traced(name, detail):
    trainer = trainer_of(name)
    for _ in range(3):
        trace = capture_next(trainer, detail).trace
        assert trace.worst_error <= 1e-12
        assert trainer.advance() is None
        assert trace.loss == pytest.approx(trainer.point.loss, abs=1e-12)
        assert all((trainer.parameters[update.parameter] - update.rows[-1].value).abs().max() <= 1e-12 for update in trace.updates)
