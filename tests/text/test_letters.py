"""The letters of a formula are those of what really stands there: f · c and z_f, W and b, never p and a and b."""

import pytest

from nnviz import jobs
from nnviz.text import names
from nnviz.text.letters import letters


@pytest.fixture(scope="module")
def lstm():
    return jobs.trace_record(jobs.open_document("template:lstm", ()), 0, "textbook")


def _said(trace, *group_and_operation):
    *group, operation = group_and_operation
    named = names.names(trace)
    node = next(node for node in trace.nodes if node.operation == operation and node.group[1:] == tuple(group))
    called = letters(trace.nodes, node, named)
    return called.written(node.formula), called.written(node.derivative)


@pytest.mark.parametrize(
    ("where", "formula", "derivative"),
    [
        (("t=2", "linear"), "z = x_t W_ihᵀ + b", "∂L/∂x_t = ∂L/∂z · W_ih\n∂L/∂W_ih = (∂L/∂z)ᵀ · x_t\n∂L/∂b = Σ ∂L/∂z over the batch"),
        (("t=2", "forget gate", "add"), "z_f = W_f x + W_f h", "∂L/∂(W_f x) = ∂L/∂z_f\n∂L/∂(W_f h) = ∂L/∂z_f"),
        (("t=2", "forget gate", "sigmoid"), "f_t = σ(z_f) = 1 / (1 + e^(−z_f))", "∂L/∂z_f = ∂L/∂f_t · f_t(1 − f_t)"),
        (("t=2", "cell", "mul"), "p = f_t · c₋", "∂L/∂f_t = ∂L/∂p · c₋\n∂L/∂c₋ = ∂L/∂p · f_t"),
        (("t=2", "cell", "add"), "c_t = f · c + i · g", "∂L/∂(f · c) = ∂L/∂c_t\n∂L/∂(i · g) = ∂L/∂c_t"),
    ],
)
def test_a_time_step_speaks_of_its_gates(lstm, where, formula, derivative):
    assert _said(lstm, *where) == (formula, derivative)


def test_what_two_operands_would_share_is_numbered():
    trace = jobs.trace_record(jobs.open_document("template:residual_mlp", ()), 0, "textbook")
    named = names.names(trace)
    node = next(node for node in trace.nodes if node.operation == "add")
    called = letters(trace.nodes, node, named)
    assert len({called.own, *called.inputs}) == 3 and not {"a", "b"} <= set(called.inputs)
    assert called.written(node.formula) == f"s = {called.inputs[0]} + {called.inputs[1]}"


def test_other_operations_keep_the_letters_of_their_formula(lstm):
    linear = next(node for node in lstm.nodes if node.operation == "linear" and node.group == ("out",))
    assert letters(lstm.nodes, linear, names.names(lstm)).written(linear.formula) == linear.formula
