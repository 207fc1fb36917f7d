"""`nnviz.to_json`: a captured trace as `nnviz export --to OUT.json` writes one."""

import json

import pytest
import torch

import nnviz
from tests.trace import zoo


def test_values_and_gradients_are_those_of_torch(tmp_path):
    module, inputs = zoo.make("mlp_tanh_mse")
    trace = nnviz.capture(module, *inputs, optimizer=torch.optim.SGD(module.parameters(), 0.1))
    text = nnviz.to_json(trace, tmp_path / "trace.json")
    assert (tmp_path / "trace.json").read_text(encoding="utf-8") == text
    data = json.loads(text)
    assert len(data["nodes"]) == len(trace.nodes) and len(data["steps"]) == len(trace.steps)
    for node, written in zip(trace.nodes, data["nodes"], strict=True):
        assert written["label"] == node.label
        assert torch.equal(torch.tensor(written["value"], dtype=node.value.dtype), node.value)
        if node.gradient is not None:
            assert torch.equal(torch.tensor(written["gradient"], dtype=node.gradient.dtype), node.gradient)
    after = {update["parameter"]: update["after"] for update in data["updates"]}
    for update in trace.updates:
        assert torch.equal(torch.tensor(after[update.parameter], dtype=update.after.dtype), update.after)


def test_what_is_large_is_told_by_its_statistics_and_nan_by_a_word():
    x = torch.randn(5000)
    x[3] = float("nan")
    data = json.loads(nnviz.to_json(nnviz.capture(lambda x: x[:10].sum(), x)))
    value = data["nodes"][0]["value"]
    assert value["shape"] == [5000] and value["non_finite"] == 1 and data["loss"] == "NaN"


def test_a_file_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(OSError):
        nnviz.to_json(nnviz.capture(lambda x: x.sum(), torch.ones(2)), tmp_path / "none" / "trace.json")
