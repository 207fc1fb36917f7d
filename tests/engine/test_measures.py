from __future__ import annotations

import numpy as np
import pytest
import torch

from nnviz.document.catalog import DATASETS, new_choice, new_layer
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.measures import array_of, layer_measures, measure, tensor_record
from nnviz.engine.observe.surface import GRID, LINE, surface
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import digest
from nnviz.records.tensors import WHOLE
from tests.engine.experiments import HERE, chain, experiment


def values(array) -> np.ndarray:
    return np.frombuffer(array.data, array.dtype).reshape(array.shape)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.bool])
def test_arrays_travel_as_they_are(dtype):
    tensor = torch.randint(0, 2, (3, 4)).to(dtype).T
    assert np.array_equal(values(array_of(tensor)), tensor.numpy()) and array_of(tensor).dtype == str(dtype).removeprefix("torch.")


def test_a_measure_is_numpys():
    tensor = torch.randn(10_000, generator=torch.Generator().manual_seed(0))
    tensor[:100] = 0
    found, array = measure(tensor), tensor.double().numpy()
    assert (found.count, found.zeros, found.non_finite) == (10_000, 100, 0)
    assert (found.min, found.max) == (array.min(), array.max())
    for name in ("mean", "std"):
        assert getattr(found, name) == pytest.approx(getattr(array, name)(), rel=1e-9)
    assert found.norm == pytest.approx(np.linalg.norm(array), rel=1e-9)
    expected, _ = np.histogram(array[array != 0], bins=len(found.histogram), range=(found.low, found.high))
    assert np.abs(np.array(found.histogram) - expected).sum() <= 2 and sum(found.histogram) == 9_900


def test_zeros_and_non_finite_elements_stand_apart():
    found = measure(torch.tensor([0.0, -0.0, 1.0, 2.0, float("nan"), float("inf"), float("-inf")]))
    assert (found.count, found.zeros, found.non_finite, found.min, found.max, sum(found.histogram)) == (7, 2, 3, 0.0, 2.0, 2)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.empty(0),
        torch.zeros(5),
        torch.full((5,), 3.0),
        torch.full((3,), float("nan")),
        torch.tensor([1e-320], dtype=torch.float64),
        torch.tensor([-1.7e308, 1.7e308], dtype=torch.float64),
        torch.tensor([3e38, -3e38]),
        torch.tensor(2.5),
    ],
)
def test_extreme_tensors_have_measures(tensor):
    found = measure(tensor)
    finite = tensor.double()[tensor.isfinite()]
    assert sum(found.histogram) == int((finite != 0).sum()) and np.isfinite([found.mean, found.std, found.low, found.high]).all()
    assert not found.histogram or found.low < found.high


def test_large_tensors_travel_as_measures():
    assert tensor_record(torch.zeros(WHOLE)).measure is None and tensor_record(torch.zeros(WHOLE + 1)).values is None


def test_layer_measures_are_of_the_last_iteration():
    timeline = Timeline(experiment(batch_size=16), HERE)
    timeline.trainer.keep_previous(True)
    timeline.go_to(6)
    trainer = timeline.trainer
    found = {each.layer: each for each in layer_measures(trainer)}
    assert list(found) == ["h1", "h2", "out"]
    assert found["h2"].weights == measure(trainer.parameters["h2.weight"])
    gradients = [trainer.parameters[name].grad.ravel() for name in ("h2.weight", "h2.bias")]
    assert found["h2"].gradients == measure(torch.cat(gradients)) and found["h2"].gradients.count == 20
    assert found["h1"].activations.count == 10 * 4  # the last batch of 42 rows
    moved = torch.cat([(trainer.parameters[name] - trainer.previous[name]).flatten() for name in ("h1.weight", "h1.bias")]).norm()
    start = torch.cat([trainer.previous[name].flatten() for name in ("h1.weight", "h1.bias")]).norm()
    assert found["h1"].update_ratio == pytest.approx((moved / start).item(), rel=1e-5)


def test_looking_changes_nothing():
    network = chain(
        new_layer("input", "x", shape=[2]),
        new_layer("batch_norm", "bn"),
        new_layer("dropout", "d", p=0.5),
        new_layer("dense", "out", units=2),
    )
    looked, plain = (Timeline(experiment(network, batch_size=14), HERE) for _ in range(2))
    for _ in range(12):
        layer_measures(looked.trainer)
        surface(looked.trainer)
        to_record(capture_next(looked.trainer, "textbook"))
        looked.advance()
        plain.advance()
    assert digest(looked.trainer.net) == digest(plain.trainer.net) and looked.points == plain.points
    assert all(torch.equal(looked.trainer.buffers[name], plain.trainer.buffers[name]) for name in plain.trainer.buffers)


def test_surfaces():
    trainer = Timeline(experiment(), HERE).trainer
    found = surface(trainer)
    assert found.output.shape == (GRID, GRID, 2) and np.allclose(values(found.output).sum(-1), 1, atol=1e-6)
    corner = torch.tensor([[found.high[0], found.low[1]]])
    assert np.allclose(values(found.output)[0, -1], trainer.answer(corner).softmax(-1).numpy(), atol=1e-5)
    assert found.low[0] < trainer.data.x[:, 0].min() and found.high[1] > trainer.data.x[:, 1].max()
    network = chain(new_layer("input", "x", shape=[1]), new_layer("dense", "out", units=1))
    assert surface(Timeline(experiment(network, data=new_choice(DATASETS, "sine"), loss="mse"), HERE).trainer).output.shape == (LINE, 1)
    network = chain(new_layer("input", "x", shape=[4]), new_layer("dense", "out", units=3))
    assert surface(Timeline(experiment(network, data=new_choice(DATASETS, "iris")), HERE).trainer) is None


# --- traces as they travel ---


@pytest.mark.parametrize("detail", ["layer", "textbook", "math"])
def test_a_trace_is_the_iteration_that_follows(detail):
    timeline = Timeline(experiment(batch_size=16, l2=0.01, clip_norm=0.1), HERE)
    timeline.go_to(9)
    rows = timeline.trainer.rows().tolist()
    record = to_record(capture_next(timeline.trainer, detail))
    timeline.advance()
    trainer = timeline.trainer
    assert (
        record.iteration == 9 and record.epoch == 3 and list(record.rows) == rows and record.detail == detail and record.worst_error < 1e-6
    )
    assert record.loss == pytest.approx(trainer.point.loss, rel=1e-6)
    for update in record.updates:
        np.testing.assert_allclose(values(update.after.values), trainer.parameters[update.parameter].detach().numpy(), rtol=0, atol=1e-6)
    assert {update.parameter for update in record.updates} == set(trainer.parameters)
    phases = [step.phase for step in record.steps]
    assert list(dict.fromkeys(phases)) == ["batch", "forward", "loss", "backward", "clip", "update"]
    assert all(step.node == -1 for step in record.steps if step.phase == "clip")


def test_nodes_edges_and_batch_axes():
    record = to_record(capture_next(Timeline(experiment(batch_size=4), HERE).trainer, "textbook"))
    entry = next(node for node in record.nodes if node.kind == "input" and node.phase == "forward")
    assert entry.module == "x" and entry.group == ("x",) and entry.batch_axis == 0
    assert all(node.batch_axis is None for node in record.nodes if node.kind == "parameter")  # h2.weight is 4×4 in a batch of 4
    assert all(node.batch_axis == 0 for node in record.nodes if node.operation in ("linear", "relu", "mul", "tanh"))
    assert [node.id for node in record.nodes] == list(range(len(record.nodes)))
    for edge in record.edges:
        assert record.nodes[edge.target].inputs[edge.argument] == edge.source
    for node in record.nodes:
        parts = [values(edge.contribution.values) for edge in record.edges if edge.source == node.id and edge.contribution]
        if parts and node.gradient:
            np.testing.assert_allclose(sum(parts), values(node.gradient.values), rtol=1e-5, atol=1e-7)
    tanh = next(node for node in record.nodes if node.operation == "tanh")
    local = next(edge.local for edge in record.edges if edge.target == tanh.id)
    np.testing.assert_allclose(values(local), 1 - values(tanh.value.values) ** 2, rtol=1e-5)
    dropped = next(node.dropped for node in record.nodes if node.dropped is not None)
    assert values(dropped).dtype == bool and values(dropped).shape == (4, 4)


def test_a_trace_of_one_row():
    timeline = Timeline(experiment(), HERE)
    record = to_record(capture_next(timeline.trainer, "layer", 5))
    assert record.rows == (5,) and record.nodes[0].shape == (1, 2)
    with pytest.raises(ValueError, match="0 to 41"):
        capture_next(timeline.trainer, "layer", 42)


def test_the_parameters_before_the_last_iteration_are_kept():
    timeline = Timeline(experiment(), HERE)
    timeline.trainer.keep_previous(True)
    for _ in range(3):
        start = timeline.trainer.tensors()
        timeline.advance()
        assert timeline.trainer.previous.keys() == timeline.trainer.parameters.keys()
        assert all(torch.equal(kept, start[name]) for name, kept in timeline.trainer.previous.items())
        assert not any(kept.requires_grad for kept in timeline.trainer.previous.values())
