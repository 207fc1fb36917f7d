"""The rows of the batch are followed through a model, wherever its layers put their axis."""

from nnviz.engine.observe.batch_axis import batch_axes
from nnviz.trace import capture
from tests.trace import zoo


def axes_of(name):
    module, inputs = zoo.make(name)
    trace = capture(module, *inputs)
    return trace, batch_axes(trace, len(inputs[0]))


def test_the_rows_are_followed_through_time_major_layers():
    """A recurrent net works on (time, batch, features): the batch's axis moves to the middle and back."""
    trace, axes = axes_of("lstm")
    found = {(node.operation, node.shape): axes.get(node.id) for node in trace.nodes if node.kind == "operation"}
    assert found["transpose", (5, 2, 3)] == found["stack", (5, 2, 4)] == 1
    assert found["transpose", (2, 5, 4)] == found["sigmoid", (2, 4)] == found["mul", (2, 4)] == found["unbind", (2, 3)] == 0
    assert found["mean", ()] is None


def test_an_image_keeps_its_rows_in_front():
    trace, axes = axes_of("resnet18")
    images = [node for node in trace.nodes if len(node.shape) == 4 and node.shape[0] == 4 and node.kind == "operation"]
    assert images and all(axes[node.id] == 0 for node in images)
    assert not any(node.id in axes for node in trace.nodes if node.kind in ("parameter", "buffer"))


def test_where_two_axes_are_as_long_as_the_batch_none_is_guessed():
    trace, axes = axes_of("encoder_layer")  # two rows and two heads
    assert not any(node.id in axes for node in trace.nodes if node.operation == "permute")
