"""DOT, GraphML and JSON: other programs read them, and they hold what is known at the cursor and no more."""

import json
import math
import shutil
import subprocess

import msgspec
import networkx
import numpy as np
import pytest

from nnviz.export import graph_files
from tests.ui import traces


@pytest.fixture(params=["worked", "dropout_net"])
def trace(request):
    return getattr(traces, request.param)()


def _nasty(trace):
    """The trace with names and numbers that need escaping."""
    name = 'a"b\\c <&> {|} é 网\n\x00\x07'
    bad = msgspec.structs.replace(
        trace.nodes[4], label=name, module=name, group=(name,), value=traces.tensor(np.array([[math.nan, -math.inf]]))
    )
    return msgspec.structs.replace(trace, nodes=(*trace.nodes[:4], bad, *trace.nodes[5:]))


def test_graphml_reads_back_with_every_node_and_edge(trace):
    graph = networkx.parse_graphml(graph_files.graphml(trace))
    assert set(graph.nodes) == {f"n{node.id}" for node in trace.nodes}
    assert sorted(graph.edges()) == sorted((f"n{edge.source}", f"n{edge.target}") for edge in trace.edges)
    linear = traces.node(trace, "linear")
    assert graph.nodes[f"n{linear}"]["operation"] == "linear"
    value = traces.state(trace, 99).index.array(trace.nodes[linear].value)
    np.testing.assert_array_equal(json.loads(graph.nodes[f"n{linear}"]["value"]), value)


def test_what_is_not_computed_yet_is_left_out(trace):
    cursor = traces.place(trace, "forward", "relu")
    graph = networkx.parse_graphml(graph_files.graphml(trace, cursor))
    known = {int(name[1:]) for name, facts in graph.nodes(data=True) if "value" in facts}
    state = traces.state(trace, cursor)
    assert known == {node.id for node in trace.nodes if state.is_made(node.id)}
    assert not any("gradient" in facts for _, facts in graph.nodes(data=True))
    assert not any("contribution" in facts for _, _, facts in graph.edges(data=True))


def test_json_has_the_documented_shape():
    trace = traces.worked()
    data = json.loads(graph_files.json_text(trace))
    assert {"iteration", "loss", "detail", "worst_error", "nodes", "steps", "updates"} <= set(data)
    linear = data["nodes"][3]
    assert {
        "id", "kind", "operation", "label", "module", "group", "inputs", "shape", "value", "gradient", "contributions", "reads",
        "formula", "derivative",
    } == set(linear)  # fmt: skip
    np.testing.assert_allclose(linear["value"], [[-0.72, 1.73]])
    np.testing.assert_allclose(linear["gradient"], [[0, 3.0624]])
    assert [part["from"] for part in linear["contributions"]] == [4]
    np.testing.assert_allclose(data["nodes"][1]["gradient"], [[0, 0], [3.98112, 2.14368]])
    assert data["loss"] == pytest.approx(1.628176)
    assert data["steps"][1] == {"index": 1, "phase": "forward", "node": 3}
    assert data["updates"][0]["rows"][0]["symbol"] == "g"


def test_json_at_a_cursor_is_null_where_nothing_is_known():
    trace = traces.worked()
    data = json.loads(graph_files.json_text(trace, 2))
    assert data["loss"] is None and data["cursor"] == 2 and data["updates"] == []
    assert [node["value"] is None for node in data["nodes"]] == [
        node.operation in ("relu", "mse_loss") or node.id == 7 for node in trace.nodes
    ]
    assert all(node["gradient"] is None and node["contributions"] == [] for node in data["nodes"])


def test_large_tensors_are_statistics():
    trace = traces.worked()
    large = msgspec.structs.replace(trace.nodes[3], value=traces.measured(np.arange(5000.0)))
    trace = msgspec.structs.replace(trace, nodes=(*trace.nodes[:3], large, *trace.nodes[4:]))
    value = graph_files.as_data(trace)["nodes"][3]["value"]
    assert set(value) == {"shape", "min", "max", "mean", "std", "norm", "zeros", "non_finite", "histogram"}
    assert value["shape"] == [5000] and value["zeros"] == 1


def test_numbers_that_json_lacks_are_strings():
    data = json.loads(graph_files.json_text(_nasty(traces.worked())), parse_constant=lambda name: pytest.fail(name))
    assert data["nodes"][4]["value"] == [["NaN", "-Infinity"]]


def test_hostile_names_stay_text():
    trace = _nasty(traces.worked())
    graph = networkx.parse_graphml(graph_files.graphml(trace))
    assert graph.nodes["n4"]["module"].startswith('a"b\\c <&> {|} é 网')
    assert "\x00" not in graph_files.dot(trace)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("cursor", [0, 5, None])
def test_graphviz_reads_the_dot_file(trace, cursor):
    for source in (trace, _nasty(trace)):
        text = graph_files.dot(source, cursor)
        done = subprocess.run(["dot", "-Tsvg"], input=text.encode(), capture_output=True, timeout=60)
        assert done.returncode == 0 and done.stderr == b""
        assert done.stdout.count(b'class="node"') == len(source.nodes)


def test_dot_names_every_node_and_edge(trace):
    text = graph_files.dot(trace)
    assert text.startswith("digraph") and text.count(" -> ") == len(trace.edges)
    assert all(f"  n{node.id} [" in text for node in trace.nodes)
    assert text.count("{") == text.count("}")
