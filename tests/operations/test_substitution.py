"""Formulas with numbers put in: they agree with the trace, and are left out rather than wrong."""

import math
from collections import Counter

import msgspec
import numpy as np
import pytest

from nnviz.operations.recorded_call import pieces
from nnviz.operations.signature import Input
from nnviz.operations.substitution import sent, substituted
from nnviz.operations.table import OPERATIONS, row_of
from nnviz.records.trace_state import TraceState
from nnviz.text.numbers import number
from nnviz.ui.step.elements import row_shape
from tests.operations import written
from tests.trace import zoo
from tests.ui import captured, traces


@pytest.fixture
def state():
    trace = traces.worked()
    return traces.state(trace, len(trace.steps))


@pytest.mark.parametrize(
    ("node", "element", "text"),
    [
        (3, (0,), "z[0] = 0.1·1.3 + 0.5·0.7 − 1.2 = −0.72"),
        (3, (1,), "z[1] = 0.8·1.3 − 0.3·0.7 + 0.9 = 1.73"),
        (4, (0,), "a[0] = max(0, −0.72) = 0"),
        (7, (0,), "z[0] = 0.8·0 + 1.2·1.73 + 0.2 = 2.276"),
        (9, (), "this row: (2.276 − 1)² = 1.628"),
        (0, (0,), ""),
        (1, (0, 0), ""),
    ],
)
def test_the_worked_net(state, node, element, text):
    assert substituted(state, state.index.node(node), element) == text


def test_nothing_is_said_before_it_is_computed():
    trace = traces.worked()
    assert substituted(traces.state(trace, 1), trace.nodes[3], (0,)) == ""


def test_a_function_of_the_mean_is_not_the_mean_of_the_function():
    trace = traces.dropout_net()
    relu, linear = (trace.nodes[traces.node(trace, label)] for label in ("relu", "linear"))
    mean = traces.state(trace, len(trace.steps), None)
    assert substituted(mean, relu, (0,)) == ""
    assert substituted(mean, linear, (0,)).startswith("z[0] = ")


def _terms(text):
    """The value of "0.1·1.3 − 0.5·(−0.7) + 2"."""
    plain = text.replace("−", "-").replace("·", "*")
    return eval(plain, {"__builtins__": {}})


@pytest.mark.parametrize("label", ["linear", "mul"])
def test_every_sum_and_product_adds_up(label):
    trace = traces.dropout_net()
    node = trace.nodes[traces.node(trace, label)]
    for row in range(8):
        state = traces.state(trace, len(trace.steps), row)
        for element in range(4):
            _, middle, result = substituted(state, node, (element,)).split(" = ")
            assert _terms(middle) == pytest.approx(_terms(result), abs=2e-3)


def test_long_sums_are_abbreviated():
    trace = traces.mlp((9, 2))
    node = trace.nodes[traces.node(trace, "linear")]
    text = substituted(traces.state(trace, len(trace.steps)), node, (0,))
    assert " + (… 5 more: " in text
    worked, rounding = written.worked_out(written.sides(text)[0])
    assert worked == pytest.approx(written.result(written.sides(text)[1])[0], abs=2 * rounding)


def test_a_slope_other_than_the_texts_is_not_claimed():
    tape = traces.Tape()
    z = tape.add("input", "z", np.array([[-1.0]]), batch_axis=0)
    ours = tape.add("operation", "leaky_relu", np.array([[-0.01]]), "", (z,), batch_axis=0)
    theirs = tape.add("operation", "leaky_relu", np.array([[-0.3]]), "", (z,), batch_axis=0)
    trace = tape.record(0.0)
    state = traces.state(trace, len(trace.steps))
    assert substituted(state, trace.nodes[ours], (0,)).endswith("= −0.01")
    assert substituted(state, trace.nodes[theirs], (0,)) == ""


def test_cross_entropy_says_the_rows_part():
    trace = traces.dropout_net()
    loss = trace.nodes[-1]
    parts = [float(substituted(traces.state(trace, len(trace.steps), row), loss, ()).rsplit("= ", 1)[1]) for row in range(8)]
    assert np.mean(parts) == pytest.approx(trace.loss, abs=1e-3)


RULES = {name for name, row in OPERATIONS.items() if row.numbers or row.function}


def _lines(index, most):
    """The first nodes of every operation that has a rule, at three elements, for the first row, the last, and the mean."""
    seen: Counter[str] = Counter()
    for node in index.trace.nodes:
        operation = node.operation.rstrip("_")
        seen[operation] += operation in RULES and node.kind not in ("parameter", "input", "buffer", "constant")
        if operation not in RULES or not 0 < seen[operation] <= most:
            continue
        shape = row_shape(node)
        for sample in (0, len(index.trace.rows) - 1, None):
            for place in {0, math.prod(shape) // 2, math.prod(shape) - 1}:
                element = tuple(map(int, np.unravel_index(place, shape))) if shape else ()
                try:
                    state = TraceState(index, index.length, sample)
                    text = substituted(state, node, element)
                except IndexError:
                    continue  # a batch axis that is shorter than the batch
                yield node, sample, text


@pytest.mark.parametrize("name", sorted(zoo.CASES.keys() - {"resnet18"}))
def test_the_numbers_put_in_give_the_nodes_own(name):
    for detail in ("layer", "math"):
        for node, _, text in _lines(captured.index(name, detail), 2):
            for line in filter(None, text.split("\n")):
                left, right = written.sides(line)
                if "[" in left or left == "x":
                    continue  # the name of an element: "x[3]", or of the only one
                (worked, rounding), (said, half) = written.worked_out(left), written.result(right)
                same = worked == said or abs(worked - said) <= 1.5 * rounding + 2 * half + 1e-12 or (worked != worked and said != said)
                assert same, (node.operation, line)


SPOKEN = {
    "cnn_batch_norm": {
        "conv2d", "mean", "sub", "square", "add", "sqrt", "div", "mul", "relu", "max_pool2d", "avg_pool2d", "flatten", "linear",
    },
    "conv1d_pooling": {"conv1d", "tanh", "max_pool1d", "adaptive_avg_pool1d", "mse_loss"},
    "encoder_layer": {"matmul", "softmax", "transpose", "gelu", "square", "mean"},
    "mlp_leaky_relu_huber": {"leaky_relu", "huber_loss"}, "mlp_sigmoid_bce": {"sigmoid", "binary_cross_entropy"},
    "mlp_bce_with_logits": {"binary_cross_entropy_with_logits"}, "mlp_gelu_l1": {"gelu", "l1_loss"},
    "mlp_softplus_smooth_l1": {"softplus", "smooth_l1_loss"}, "mlp_nll": {"log_softmax", "nll_loss"},
    "lstm": {"block", "sigmoid", "tanh", "mul"},
    "transposed_convolution": {"conv_transpose2d"}, "einsum_attention": {"einsum"},
}  # fmt: skip


@pytest.mark.parametrize("name", SPOKEN)
def test_no_formula_is_left_without_its_numbers(name):
    said, silent = set(), set()
    for node, sample, text in _lines(captured.index(name, "math"), 3):
        (said if text else silent).add(node.operation.rstrip("_")) if sample is not None else None
    assert said >= SPOKEN[name] and not silent & SPOKEN[name]


def _sent(index, most):
    """For the first edges of every operation what is sent to three elements of the input, for the first row and the last."""
    seen: Counter[tuple[str, int]] = Counter()
    for edge in index.trace.edges:
        node, source = index.node(edge.target), index.node(edge.source)
        seen[node.operation, edge.argument] += 1
        equation = node.equations[edge.argument] if node.equations else None
        if edge.contribution is None or equation is None or seen[node.operation, edge.argument] > most:
            continue
        shape = row_shape(source)
        for sample in (0, len(index.trace.rows) - 1):
            for place in {0, math.prod(shape) // 2, math.prod(shape) - 1}:
                element = tuple(map(int, np.unravel_index(place, shape))) if shape else ()
                try:
                    yield (node.operation, equation.symbol), sent(TraceState(index, index.length, sample), edge, element)
                except IndexError:
                    continue  # a batch axis that is shorter than the batch


@pytest.mark.parametrize("name", sorted(zoo.CASES.keys() - {"resnet18"}))
def test_the_numbers_of_what_is_sent_give_the_contribution(name):
    for detail in ("layer", "math"):
        for key, said in _sent(captured.index(name, detail), 2):
            if said is not None and "∂L" not in said.text:
                worked, rounding = written.worked_out(said.text)
                assert abs(worked - said.value) <= 1.5 * rounding + 1e-9 or worked != worked, (key, said.text)


SENT = {
    "mlp_sigmoid_bce": {("linear", "x"), ("linear", "W"), ("linear", "b"), ("binary_cross_entropy", "p")},
    "conv1d_pooling": {("mse_loss", "ŷ"), ("conv1d", "W"), ("adaptive_avg_pool1d", "x")},
    "cnn_batch_norm": {("conv2d", "x"), ("conv2d", "W"), ("max_pool2d", "x"), ("avg_pool2d", "x"), ("flatten", "x")},
    "transposed_convolution": {("conv_transpose2d", "x"), ("conv_transpose2d", "W"), ("conv_transpose2d", "b")},
    "depthwise_separable": {("conv2d", "x"), ("conv2d", "W")},
    "encoder_layer": {("matmul", "A"), ("matmul", "B"), ("softmax", "z"), ("transpose", "x"), ("gelu", "z")},
    "layer_norm": {("layer_norm", "x"), ("layer_norm", "γ"), ("layer_norm", "β")},
    "group_and_instance_norm": {("group_norm", "γ"), ("group_norm", "β")},
    "lstm": {("mul", "a"), ("mul", "b"), ("add", "a"), ("add", "b"), ("sigmoid", "z"), ("tanh", "z"), ("block", "x")},
    "mlp_relu_cross_entropy": {("relu", "z"), ("cross_entropy", "z")},
    "mlp_bce_with_logits": {("binary_cross_entropy_with_logits", "z")}, "mlp_nll": {("nll_loss", "ℓ"), ("log_softmax", "z")},
    "embedding": {("embedding", "W[i]")}, "einsum_attention": {("einsum", "a")}, "dropout_train": {("dropout", "x")},
}  # fmt: skip


@pytest.mark.parametrize("name", SENT)
def test_no_derivative_is_left_without_its_numbers(name):
    found = [pair for detail in ("layer", "math") for pair in _sent(captured.index(name, detail), 3)]
    said, silent = {key for key, one in found if one}, {key for key, one in found if not one}
    assert said >= SENT[name], SENT[name] - said
    assert not silent & SENT[name]


def test_numbers_that_do_not_give_the_contribution_are_left_out():
    trace = traces.worked()
    edge = next(edge for edge in trace.edges if edge.target == 3 and edge.argument == 1)
    state = traces.state(trace, len(trace.steps))
    assert sent(state, edge, (1, 0)).text == "3.062·1.3"
    wrong = msgspec.structs.replace(edge, contribution=traces.tensor(np.ones((2, 2))))
    assert sent(state, wrong, (1, 0)) is None


def test_a_layer_norm_says_its_mean_and_variance():
    index = captured.index("encoder_layer", "layer")
    node = next(node for node in index.trace.nodes if node.operation == "layer_norm")
    first, mean, variance = substituted(TraceState(index, index.length, 0), node, (0,) * len(row_shape(node))).split("\n")
    assert first.startswith("y[0") and mean.startswith("μ = (") and variance.startswith("σ² = (")


def test_the_mean_over_the_batch_is_put_in_where_it_holds():
    index = captured.index("conv1d_pooling")
    texts = {node.operation: text for node, sample, text in _lines(index, 2) if sample is None}
    assert texts["conv1d"] and texts["mse_loss"].startswith("L = (") and texts["tanh"] == ""
    assert texts["mse_loss"].endswith(f"= {number(index.trace.loss)}")


def test_a_piece_of_a_tensor_cut_in_parts_has_its_own_numbers():
    x = np.arange(12.0).reshape(2, 6)
    node = traces.Tape()
    source = node.add("input", "x", x, batch_axis=0)
    cut = node.add("operation", "chunk", x[:, :3], "", (source,), batch_axis=0)
    record = msgspec.structs.replace(node.nodes[cut], operation="chunk", arguments=({"input": 0}, 2, -1))
    assert [part.tolist() for part in pieces(record, x)] == [x[:, :3].tolist(), x[:, 3:].tolist()]


@pytest.mark.parametrize(
    ("index", "text"),
    [(1, "1"), ((slice(None), 2), ":, 2"), ((Ellipsis, None, slice(0, 4, 2)), "…, None, 0:4:2"), ([0, 2], "[0, 2]"), ([0] * 9, "…")],
)
def test_a_slice_stands_as_the_code_has_it(index, text):
    assert row_of("getitem").formula_of((Input(0, (4, 3), "f"), index), {}, 1).text == f"y = x[{text}]"
