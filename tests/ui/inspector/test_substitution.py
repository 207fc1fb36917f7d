"""Formulas with numbers put in: they agree with the trace, and are left out rather than wrong."""

import numpy as np
import pytest

from nnviz.ui.inspector.curves import CURVES
from nnviz.ui.inspector.substitution import _cross_entropy, substituted
from tests.ui import traces


@pytest.fixture
def moment():
    trace = traces.worked()
    return traces.moment(trace, len(trace.steps))


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
def test_the_worked_net(moment, node, element, text):
    assert substituted(moment, moment.reading.node(node), element) == text


def test_nothing_is_said_before_it_is_computed():
    trace = traces.worked()
    assert substituted(traces.moment(trace, 1), trace.nodes[3], (0,)) == ""


def test_a_function_of_the_mean_is_not_the_mean_of_the_function():
    trace = traces.dropout_net()
    relu, linear = (trace.nodes[traces.node(trace, label)] for label in ("relu", "linear"))
    mean = traces.moment(trace, len(trace.steps), None)
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
        moment = traces.moment(trace, len(trace.steps), row)
        for element in range(4):
            _, middle, result = substituted(moment, node, (element,)).split(" = ")
            assert _terms(middle) == pytest.approx(_terms(result), abs=2e-3)


def test_long_sums_are_abbreviated():
    trace = traces.mlp((9, 2))
    node = trace.nodes[traces.node(trace, "linear")]
    assert " + … " in substituted(traces.moment(trace, len(trace.steps)), node, (0,))


def test_a_slope_other_than_the_texts_is_not_claimed():
    tape = traces.Tape()
    z = tape.add("input", "z", np.array([[-1.0]]), batch_axis=0)
    ours = tape.add("operation", "leaky_relu", np.array([[-0.01]]), "", (z,), batch_axis=0)
    theirs = tape.add("operation", "leaky_relu", np.array([[-0.3]]), "", (z,), batch_axis=0)
    trace = tape.record(0.0)
    moment = traces.moment(trace, len(trace.steps))
    assert substituted(moment, trace.nodes[ours], (0,)).endswith("= −0.01")
    assert substituted(moment, trace.nodes[theirs], (0,)) == ""


def test_cross_entropy_says_the_rows_part():
    trace = traces.dropout_net()
    loss = trace.nodes[-1]
    parts = [float(substituted(traces.moment(trace, len(trace.steps), row), loss, ()).rsplit("= ", 1)[1]) for row in range(8)]
    assert np.mean(parts) == pytest.approx(trace.loss, abs=1e-3)


@pytest.mark.parametrize("name", sorted(CURVES))
def test_curves_have_the_known_values(name):
    known = {
        "relu": 2,
        "leaky_relu": 2,
        "elu": 2,
        "gelu": 1.9545,
        "silu": 1.76159,
        "softplus": 2.126928,
        "sigmoid": 0.880797,
        "tanh": 0.964028,
    }
    assert CURVES[name](np.array([2.0]))[0] == pytest.approx(known[name], rel=1e-4)


def test_a_share_of_nearly_one_is_not_written_as_one():
    scores = np.array([40.0, 8.0, 1.0])
    assert _cross_entropy([scores, np.array(0)]) == "this row: −log softmax(ŷ)[0] = −log(1 − 1.268e−14) = 1.268e−14"
    assert _cross_entropy([np.zeros(2), np.array(1)]) == "this row: −log softmax(ŷ)[1] = −log 0.5 = 0.6931"
