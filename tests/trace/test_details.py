"""A detail for each module: what is opened elsewhere changes nothing here, and every number stays torch's."""

import pytest
import torch

from nnviz.trace import NoSuchGroup, TraceError, capture
from tests.trace import zoo


def shape(trace, group):
    """What the nodes inside a group are, with their groups."""
    return [(node.operation, node.group, node.shape) for node in trace.nodes if node.group[: len(group)] == group and node.inputs]


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("lstm", "net"),
        ("resnet18", "net/4"),
        ("resnet18", "net/5/0/bn1"),
        ("encoder_layer", "net/self_attn"),
        ("dropout_train", "net/2"),
        ("mlp_relu_cross_entropy", "loss"),
        ("encoder_layer", "net/norm1"),
    ],
)
@pytest.mark.parametrize(("whole", "inside"), [("layer", "textbook"), ("textbook", "layer"), ("layer", "math"), ("math", "layer")])
def test_one_group_at_another_detail(name, group, whole, inside):
    traces = {}
    for details in ({}, {group: inside}):
        for detail in (whole, inside):
            module, inputs = zoo.make(name)
            torch.manual_seed(3)
            traces[detail, bool(details)] = capture(module, *inputs, detail=detail, details=details)
    mixed, path = traces[whole, True], tuple(group.split("/"))
    assert shape(mixed, path) == shape(traces[inside, False], path)
    outside = lambda trace: [one for one in shape(trace, ()) if one[1][: len(path)] != path]  # noqa: E731
    assert outside(mixed) == outside(traces[whole, False])
    assert mixed.loss == pytest.approx(traces[whole, False].loss, abs=1e-12) and mixed.worst_error < 1e-12
    for label, gradient in traces[inside, False].parameter_gradients.items():
        if gradient is not None:
            torch.testing.assert_close(mixed.parameter_gradients[label], gradient, rtol=1e-12, atol=1e-12)


def test_an_inner_group_counts_more_than_the_one_around_it():
    module, inputs = zoo.make("resnet18")
    trace = capture(module, *inputs, detail="layer", details={"net/4": "textbook", "net/4/0/bn1": "layer"})
    norms = {node.group for node in trace.nodes if node.operation == "batch_norm"}
    assert ("net", "4", "0", "bn1") in norms and ("net", "4", "0", "bn2") not in norms and ("net", "5", "0", "bn1") in norms
    assert dict(trace.details) == {"net/4": "textbook", "net/4/0/bn1": "layer"}


def test_a_detail_there_is_not_is_named():
    module, inputs = zoo.make("mlp_tanh_mse")
    with pytest.raises(TraceError, match="'fine' is not one of layer, textbook, math"):
        capture(module, *inputs, details={"net": "fine"})


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("nett", "'nett' is no group in which a call is made, so it has no detail: this iteration has loss, net"),
        ("net/9", "'net' contains 0, 1, 2"),
        ("net/0/inner", "'net/0' contains no group"),
        ("", "this iteration has loss, net"),
    ],
)
def test_a_group_there_is_not_is_named_with_those_there_are(path, named):
    module, inputs = zoo.make("mlp_tanh_mse")
    with pytest.raises(NoSuchGroup, match=named):
        capture(module, *inputs, details={path: "math"})


def test_a_group_that_is_only_there_once_its_call_is_opened_can_have_a_detail():
    module, inputs = zoo.make("encoder_layer")
    trace = capture(module, *inputs, details={"net/self_attn/softmax": "layer"})
    assert dict(trace.details) == {"net/self_attn/softmax": "layer"}
    with pytest.raises(NoSuchGroup, match="softmax"):
        capture(module, *inputs, detail="layer", details={"net/self_attn/softmax": "layer"})
