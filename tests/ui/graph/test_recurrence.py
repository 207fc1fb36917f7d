"""What the parts of an unrolled recurrent net are called: as in a textbook, on what torch's own nets really do."""

import pytest

from nnviz.text import _recurrent_names, names
from tests.ui import captured

TORCH = {"transpose", "unbind", "zeros", "getitem", "chunk", "stack", "block"}


def names_in(name: str, group: str) -> list[str]:
    trace = captured.index(name).trace
    found = names.names(trace)
    return [found[node.id] for node in trace.nodes if node.group and "/".join(node.group).startswith(group)]


def test_a_time_step_of_an_lstm_reads_like_its_equations():
    assert names_in("lstm", "net/t=1") == [
        "W_ih x", "W_hh h",
        "W_i x", "W_i h", "z_i", "i_t", "W_f x", "W_f h", "z_f", "f_t",
        "W_g x", "W_g h", "z_g", "g_t", "W_o x", "W_o h", "z_o", "o_t",
        "f · c", "i · g", "c_t", "tanh c_t", "h_t",
    ]  # fmt: skip


def test_a_time_step_of_a_gru_reads_like_its_equations():
    assert names_in("bidirectional_gru", "net/layer 0/forward direction/t=1")[-9:] == [
        "W_n x", "W_n h", "r · W_n h", "z_n", "n_t", "1 − z_t", "(1 − z) · n", "z · h", "h_t",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["lstm", "stacked_lstm_dropout", "bidirectional_gru", "rnn_tanh"])
def test_around_the_steps_nothing_is_called_as_in_torch(name):
    trace = captured.index(name).trace
    found = names.names(trace)
    net = [node for node in trace.nodes if node.module == "net" and node.kind != "input"]
    called = {found[node.id] for node in net}
    assert {"h₀", "x_t", "h_t", "W_ih", "b_hh"} <= called
    assert {found[node.id] for node in net if node.operation in TORCH - {"transpose"}} & TORCH == set()
    assert all(node.operation == "linear" for node in net if found[node.id] in ("W_ih x", "W_hh h"))


def test_a_net_without_time_steps_keeps_its_names():
    assert _recurrent_names.names(captured.index("mlp_tanh_mse").trace) == {}
