"""Rows of the chain rule: known only when their step is made, every contribution named, sums complete."""

import msgspec
import numpy as np
import pytest

from nnviz import jobs
from nnviz.records.tensors import to_numpy
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import Equation
from nnviz.records.trace_state import TraceState
from nnviz.text import names as naming
from nnviz.ui.step import _changes, chain
from tests.ui import traces


def _rows(trace, cursor, label, sample=0):
    state = traces.state(trace, cursor, sample)
    return chain.chain_lines(state, trace.nodes[traces.node(trace, label)])


def test_relu_of_the_worked_net():
    trace = traces.worked()
    rows = _rows(trace, len(trace.steps), "relu")
    assert [(row.label, row.text) for row in rows] == [
        ("upstream ∂L/∂a", "[ 2.042 3.062 ]"),
        ("× local ∂a/∂z", "[ 0 1 ]"),
        ("= ∂L/∂z", "[ 0 3.062 ]"),
    ]


def test_linear_of_the_worked_net_sends_to_weight_and_bias_but_not_to_data():
    trace = traces.worked()
    rows = _rows(trace, len(trace.steps), "linear")
    assert {row.label: row.text for row in rows if row.label.startswith("=")} == {
        "= ∂L/∂W": "[     0     0 ]\n[ 3.981 2.144 ]",
        "= ∂L/∂b": "[ 0 3.062 ]",
    }
    hidden = chain.chain_lines(traces.state(trace, len(trace.steps)), trace.nodes[7])
    assert [(row.label, row.text) for row in hidden[1:4]] == [
        ("× local W", "[ 0.800 1.200 ]"),
        ("∂L/∂x[1]", "2.552·1.2 = 3.062"),
        ("= ∂L/∂x", "[ 2.042 3.062 ]"),
    ]


@pytest.mark.parametrize(
    ("label", "element", "worked"),
    [
        ("linear", (1,), {"∂L/∂W[1, 0]": "3.062·1.3 = 3.981", "∂L/∂W[1, 1]": "3.062·0.7 = 2.144", "∂L/∂b[1]": "3.062"}),
        ("relu", (1,), {"∂L/∂z[1]": "3.062·1 = 3.062"}),
        ("squared error", (), {"∂L/∂ŷ[0]": "2·(2.276 − 1)/1 = 2.552"}),
    ],
)
def test_every_row_has_the_numbers_of_the_chosen_element(label, element, worked):
    trace = traces.worked()
    state = traces.state(trace, len(trace.steps))
    node = trace.nodes[traces.node(trace, label)]
    assert {row.label: row.text for row in chain.chain_lines(state, node, element) if row.wraps} == worked


def test_numbers_come_with_the_step_that_sends_them():
    trace = traces.worked()
    node = trace.nodes[traces.node(trace, "relu")]
    before = chain.chain_lines(traces.state(trace, traces.place(trace, "backward", "relu") - 1), node, (1,))
    assert not [row for row in before if row.wraps]


def test_the_chosen_element_is_framed_in_every_matrix():
    trace = traces.worked()
    state = traces.state(trace, len(trace.steps))
    node = trace.nodes[traces.node(trace, "linear")]
    for line in [*chain.forward_lines(state, node, (1,)), *chain.chain_lines(state, node, (1,))]:
        if line.mark:
            at, first, count = line.mark
            framed = line.text.split("\n")[at][first : first + count]
            wanted = {"b": "0.900", "z": "1.730", "upstream ∂L/∂z": "3.062", "= ∂L/∂W": "3.981", "= ∂L/∂b": "3.062"}
            assert framed == wanted[line.label]


def test_after_its_update_a_parameter_shows_what_was_used_and_what_it_is_now():
    trace = traces.worked()
    weight = traces.node(trace, "h1.weight")
    before, after = (trace.updates[0].before, trace.updates[0].after)
    state = traces.state(trace, traces.place(trace, "update", "h1.weight"))
    lines = {line.label: line.text for line in chain.forward_lines(state, trace.nodes[weight], (1, 0))}
    assert lines == {
        "W used": chain.figures(state, weight, before, (1, 0)),
        "W′ now": chain.figures(state, weight, after, (1, 0)),
    }
    earlier = traces.state(trace, traces.place(trace, "update", "h1.weight") - 1)
    assert [line.label for line in chain.forward_lines(earlier, trace.nodes[weight], (1, 0))] == ["W"]


@pytest.mark.parametrize(("back", "known"), [(2, [False, False]), (1, [True, False]), (0, [True, True])])
def test_rows_wait_for_their_step(back, known):
    trace = traces.worked()
    rows = _rows(trace, traces.place(trace, "backward", "relu") - back, "relu")
    assert [row.text != chain.NOT_YET for row in (rows[0], rows[2])] == known
    assert [row.tone for row in (rows[0], rows[2])] == ["backward" if k else "faint" for k in known]


def test_upstream_times_local_is_the_contribution_in_every_row():
    trace = traces.dropout_net()
    for sample in range(8):
        upstream, local, result = (np.array(_numbers(row.text)) for row in _rows(trace, len(trace.steps), "relu", sample))
        np.testing.assert_allclose(upstream * local, result, rtol=1e-3, atol=1e-3 * np.abs(upstream).max())


def _numbers(text):
    body, _, power = text.partition(" ·10")
    scale = 10.0 ** int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))) if power else 1.0
    return [float(word.replace("−", "-")) * scale for word in body.strip("[] ").split()]


def _fan():
    """x used twice: y = x·1 and y = x·2, summed. ∂L/∂x has two addends, 1 and 2."""
    tape = traces.Tape()
    x = tape.add("parameter", "w", np.array([1.0]), "p")
    parts = [tape.add("operation", name, np.array([1.0]), name, (x,)) for name in ("first", "second")]
    loss = tape.add("loss", "sum", np.array(2.0), "", tuple(parts))
    tape.gradients[loss] = np.array(1.0)
    for part in parts:
        tape.back(part, loss, np.array([1.0]))
    tape.back(x, parts[0], np.array([1.0]))
    tape.back(x, parts[1], np.array([2.0]))
    return tape.record(2.0), x


def test_a_sum_names_every_addend_and_waits_for_all():
    trace, x = _fan()
    titles, names = {"first": "left branch"}, naming.names(trace)
    half = traces.state(trace, traces.place(trace, "backward", "second"))
    lines = chain.arrival_lines(half, trace.nodes[x], names, titles)
    assert "sum of 2 contributions, 1 of them here yet" in lines[0].text
    assert [(line.label, line.text) for line in lines[1:]] == [
        ("+ second of second", "2"),
        ("+ first of left branch", chain.NOT_YET),
        ("= ∂L/∂w", chain.NOT_YET),
    ]
    whole = traces.state(trace, len(trace.steps))
    assert chain.arrival_lines(whole, trace.nodes[x], names, titles)[-1].text == "3"


def test_origins_of_one_contribution_can_be_clicked():
    trace = traces.dropout_net()
    relu = trace.nodes[[n.id for n in trace.nodes if n.label == "relu"][1]]
    names = naming.names(trace)
    (line,) = chain.arrival_lines(traces.state(trace, len(trace.steps)), relu, names, {"d1": "dropout"})
    assert line.text == "came from mul of dropout · 1 contribution"
    assert line.node == traces.node(trace, "mul")
    (line,) = chain.arrival_lines(traces.state(trace, 1), relu, names, {})
    assert line.text.startswith("will come from")


def test_data_and_loss_say_why_they_have_no_origin():
    trace = traces.worked()
    state, names = traces.state(trace, len(trace.steps)), naming.names(trace)
    assert chain.arrival_lines(state, trace.nodes[0], names, {})[0].text == "no gradient comes back to this node"
    assert "backward begins here" in chain.arrival_lines(state, trace.nodes[9], names, {})[0].text


def test_reads_are_highlighted_only_at_their_own_step():
    trace = traces.worked()
    relu, names = trace.nodes[4], naming.names(trace)
    here, later = (traces.state(trace, traces.place(trace, "backward", "relu") + k) for k in (0, 1))
    assert chain.reads_line(here, relu, names, {})[0].text == "reads from forward: linear of h1 (highlighted)"
    assert "highlighted" not in chain.reads_line(later, relu, names, {})[0].text
    assert chain.reads_line(here, trace.nodes[0], names, {}) == []


def test_equations_are_matched_to_the_inputs_that_get_a_gradient():
    tape = traces.Tape()
    index = tape.add("input", "index", np.array([1]))
    table = tape.add("parameter", "e.weight", np.eye(2), "e")
    looked = tape.add("operation", "embedding", np.array([[0.0, 1.0]]), "e", (index, table), equations=(None, Equation("W[i]", "Σ ∂L/∂y")))
    tape.back(index, looked, None)
    tape.back(table, looked, np.eye(2))
    trace = tape.record(0.0)
    state = traces.state(trace, len(trace.steps))
    assert chain.input_symbol(state, trace.nodes[looked], 1) == "W[i]"
    assert chain.input_symbol(state, trace.nodes[looked], 0) == "a"


def test_uses_with_the_same_name_say_their_time_step():
    tape = traces.Tape()
    weight = tape.add("parameter", "r.weight", np.ones((24, 1)), "r")
    uses = [tape.add("operation", "linear", np.array([1.0]), "r", (weight,)) for _ in range(3)]
    for use in uses:
        tape.back(weight, use, np.arange(24.0).reshape(24, 1))
    trace = tape.record(0.0)
    steps = ("t=0", "t=1", "t=1")
    nodes = [*trace.nodes[:1], *(msgspec.structs.replace(trace.nodes[use], group=("r", t)) for use, t in zip(uses, steps, strict=True))]
    trace = msgspec.structs.replace(trace, nodes=tuple(nodes))
    lines = chain.arrival_lines(traces.state(trace, len(trace.steps)), trace.nodes[weight], naming.names(trace), {}, (15, 0))
    assert {line.label for line in lines[1:-1]} == {"+ linear of r · t=0", "+ linear of r · t=1 · op 2", "+ linear of r · t=1 · op 3"}
    assert all(line.text.startswith("rows 13–16\n") for line in lines[1:-1])


def test_a_step_that_updates_several_weights_shows_the_one_that_changes_most_and_all_of_them():
    index = TraceIndex(jobs.trace_record(jobs.open_document("example:worked_2-2-1", ()), 0, "neurons"))
    step = next(step for step in index.trace.steps if step.phase == "update" and len(step.others) > 1)
    state = TraceState(index, step.index + 1, 0)
    together = (step.node, *step.others)
    changes = {id: abs(float(index.change(id).reshape(-1)[0])) for id in together}
    shown = _changes.most_changed(state)
    assert changes[shown.id] == max(changes.values())
    lines = _changes.update_lines(state, shown, (), naming.names(index.trace))
    assert [line.node for line in lines] == list(together)
    assert next(line for line in lines if line.node == shown.id).bold


def test_the_change_of_an_element_is_one_line():
    trace = traces.worked()
    weight = trace.nodes[traces.node(trace, "h1.weight")]
    state = traces.state(trace, len(trace.steps))
    (line,) = _changes.update_lines(state, weight, (1, 0), naming.names(trace))
    before, after = (to_numpy(tensor.values)[1, 0] for tensor in (trace.updates[0].before, trace.updates[0].after))
    assert line.label == "W[1, 0]" and line.text.startswith("0.8 − ")
    assert float(line.text.split(" = ")[1]) == pytest.approx(after, rel=1e-3) and after < before
    early = traces.state(trace, traces.place(trace, "update", "h1.weight") - 1)
    assert _changes.update_lines(early, weight, (1, 0), {})[0].text == "0.8, not updated yet"


@pytest.fixture(scope="module")
def lstm():
    return TraceIndex(jobs.trace_record(jobs.open_document("template:lstm", ()), 0, "textbook"))


def _weight(index, name="weight_hh"):
    return next(node for node in index.trace.nodes if name in node.label)


def test_every_time_step_has_a_bar_as_large_as_what_it_sends(lstm):
    node = _weight(lstm)
    bars = chain.sizes_by_time(TraceState(lstm, lstm.length, 0), node)
    assert [at for at, _, _ in sorted(bars)] == list(range(12))
    for at, size, target in bars:
        edge = next(edge for edge in lstm.out_edges[node.id] if edge.target == target)
        assert f"t={at}" in lstm.node(target).group and size == pytest.approx(np.linalg.norm(lstm.array(edge.contribution)))
    early = chain.sizes_by_time(TraceState(lstm, lstm.phase_spans["loss"][1], 0), node)
    assert {size for _, size, _ in early} == {None}


def test_weights_that_no_time_steps_share_have_no_bars(lstm):
    state = TraceState(lstm, lstm.length, 0)
    assert chain.sizes_by_time(state, next(node for node in lstm.trace.nodes if node.label == "out.weight")) == []


def test_of_many_contributions_each_is_a_line(lstm):
    node = _weight(lstm)
    lines = chain.arrival_lines(TraceState(lstm, lstm.length, 0), node, naming.names(lstm.trace), {}, (14, 0))
    added = [line for line in lines if line.label.startswith("+ ")]
    assert len(added) == 12 and all("\n" not in line.text and line.text.startswith("[14, 0] ") for line in added)
