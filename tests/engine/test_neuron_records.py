"""The record of neurons beside that of tensors: the same numbers, the same updates, and requests about one neuron."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnviz import messages
from nnviz.document.store.examples import open_document
from nnviz.engine.data.datasets import load
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.observe.inspection import gradient_checked, inspected
from nnviz.engine.observe.trace_records import to_record
from nnviz.engine.run.trainer import Trainer
from nnviz.records.tensors import Tensor
from nnviz.records.trace_record import TraceRecord, UpdateRecord, WhatIf
from nnviz.trace import TraceError
from tests.engine.kinds import EXPERIMENTS


def trainer(example: str = "moons", iterations: int = 3) -> Trainer:
    experiment = open_document(f"example:{example}")
    made = Trainer(experiment, load(experiment, Path()))
    for _ in range(iterations):
        made.advance()
    return made


def array(tensor: Tensor | None) -> np.ndarray | None:
    return None if tensor is None else np.frombuffer(tensor.values.data, tensor.values.dtype).reshape(tensor.values.shape)


@pytest.fixture(scope="module")
def captured():
    return capture_next(trainer(), "neurons")


@pytest.fixture(scope="module")
def record(captured) -> TraceRecord:
    return to_record(captured)


def test_every_neuron_is_its_element_of_the_whole(record):
    assert record.detail == "neurons" and record.whole.detail == "textbook"
    for node in record.nodes:
        whole = record.whole.nodes[node.whole]
        place = node.element if node.batch_axis is None else (slice(None), *node.element)
        for one, all_of_them in ((node.value, whole.value), (node.gradient, whole.gradient)):
            assert (one is None) == (all_of_them is None)
            assert one is None or np.array_equal(array(one), array(all_of_them)[place])


def test_the_updates_of_single_weights_are_those_of_the_parameters(record):
    whole = {update.parameter: update for update in record.whole.updates}
    assert len(record.updates) == sum(array(update.before).size for update in whole.values())
    for update in record.updates:
        node = record.nodes[update.node]
        other = whole[record.whole.nodes[node.whole].label]
        assert update.parameter == node.label
        assert [row.symbol for row in update.rows] == [row.symbol for row in other.rows]
        for one, rest in ((update.before, other.before), (update.after, other.after), *zip(_values(update), _values(other), strict=True)):
            expected = array(rest)
            assert array(one) == (expected[node.element] if expected.shape == array(other.before).shape else expected)


def _values(update: UpdateRecord) -> list[Tensor]:
    return [row.value for row in update.rows]


def test_contributions_add_up_to_the_gradients(record):
    sums: dict[int, np.ndarray] = {}
    for edge in record.edges:
        if edge.contribution is not None:
            sums[edge.source] = sums.get(edge.source, 0) + array(edge.contribution)
    for node in record.nodes:
        if node.gradient is not None and node.kind != "loss":
            assert sums[node.id] == pytest.approx(array(node.gradient), rel=1e-5, abs=1e-7)  # single precision


def test_places_tell_how_much_of_the_whole_is_made(record):
    assert len(record.places) == len(record.steps) + 1
    assert (record.places[0], record.places[-1]) == (0, len(record.whole.steps))


def test_one_neuron_can_be_looked_at_and_checked(captured, record):
    unit = next(node for node in record.nodes if node.label == "relu[1]")
    shown = inspected(captured, messages.Inspect(unit.id, "value"))
    assert shown.node == unit.id and np.array_equal(np.frombuffer(shown.array.data, shown.array.dtype), array(unit.value))
    row = int(np.argmax(np.abs(array(unit.gradient))))
    checked = gradient_checked(captured, messages.CheckGradient(unit.id, (row,)))
    assert (checked.node, checked.element) == (unit.id, (row,))
    assert checked.analytic == array(unit.gradient)[row]
    assert checked.numeric == pytest.approx(checked.analytic, rel=0.05)


def test_what_is_supposed_of_a_neuron_is_supposed_of_its_element():
    at = trainer("worked_2-2-1", 0)
    first = to_record(capture_next(at, "neurons"))
    weight = next(node for node in first.nodes if node.label == "h1.weight[1, 0]")
    unit = next(node for node in first.nodes if node.label == "relu[0]")
    asked = (WhatIf(weight.id, "set", 2.0, ()), WhatIf(unit.id, "set", 1.0, (0,)))
    record = to_record(capture_next(at, "neurons", what_ifs=asked))
    assert record.what_ifs == asked
    by_label = {node.label: array(node.value) for node in record.nodes if node.module == "h1"}
    assert by_label["h1.weight[1, 0]"] == 2.0 and by_label["relu[0]"] == 1.0
    assert by_label["linear[1]"] == pytest.approx([2.0 * 1.3 - 0.3 * 0.7 + 0.9])
    with pytest.raises(TraceError, match="neuron 999"):
        capture_next(at, "neurons", what_ifs=[WhatIf(999)])


def test_a_neuron_of_a_max_pool_has_no_winners_of_the_whole_pool():
    document = EXPERIMENTS["max pool of images"]
    record = to_record(capture_next(Trainer(document, load(document, Path())), "neurons"))
    assert any(node.winners for node in record.whole.nodes)
    assert not any(node.winners for node in record.nodes)
