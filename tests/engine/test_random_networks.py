"""Random networks over all kinds of layers: torch returns the shapes and has the parameters the document announces; traces are true."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from nnviz.document.shapes.report import examine
from nnviz.engine.data.datasets import load
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.run.trainer import Trainer
from tests.document.random_networks import sound_experiment
from tests.engine.experiments import HERE


@settings(max_examples=60)
@given(st.integers(0, 10**9))
def test_shapes_and_counts_are_torchs(seed):
    document = sound_experiment(seed)
    report, trainer = examine(document), Trainer(document, load(document, HERE))
    announced = {f"{id}.{tensor}": shape for id, layer in report.layers.items() for tensor, shape in layer.parameters.items()}
    assert {name: tuple(parameter.shape) for name, parameter in trainer.parameters.items()} == announced
    assert report.parameters == sum(parameter.numel() for parameter in trainer.net.parameters())
    trainer.differentiate(trainer.rows())
    returned = {id: tuple(value.shape[1:]) for id, value in trainer.net.outputs.items()}
    assert returned == {id: layer.output_shape for id, layer in report.layers.items()}


@settings(max_examples=15)
@given(st.integers(0, 10**9))
@example(2423177)  # dropout behind a norm of a transposed tensor
def test_their_traces_are_true(seed):
    document = sound_experiment(seed, 5)
    trace = capture_next(Trainer(document, load(document, HERE)), "math").trace
    largest = max((gradient.abs().max().item() for gradient in trace.true_gradients.values() if gradient is not None), default=1.0)
    assert trace.worst_error <= 1e-12 * max(1.0, largest)
