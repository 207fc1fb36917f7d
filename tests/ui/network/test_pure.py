"""What the canvas computes before it paints: texts, faces, arrangement, wiring, curves, figures."""

import itertools
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz.document.network import Link, Network
from nnviz.document.shapes.report import examine
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.text import captions
from nnviz.ui.network.allowed_links import descendants, partners
from nnviz.ui.network.blocks import tiled
from nnviz.ui.network.curves import Course, LinkEnds
from nnviz.ui.network.layer_figures import figures
from nnviz.ui.network.layer_places import arranged, box, detours, pitch_factor
from nnviz.ui.network.layer_sizes import layer_size
from nnviz.ui.widgets.color_scale import round_limit
from tests.ui import traces
from tests.ui.network.networks import digits, dropout_net, experiment, layer, residual


def faces_of(document):
    report = examine(document)
    return {layer.id: layer_size(layer, report.layers[layer.id].output_shape, document) for layer in document.network}


def crossing(boxes):
    """The pairs of boxes (left, top, right, bottom) that overlap."""
    return [(a, b) for a, b in itertools.combinations(boxes, 2) if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]]


# --- texts ---


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.729, "1.73"), (0.0, "0"), (-0.7249, "−0.72"), (0.9999, "1"), (2.1, "2.1"), (-12.34, "−12.3"), (123.4, "123"), (12345, "1e4"),
        (-12345, "−1e4"), (0.004, "4e−3"), (float("nan"), "NaN"), (float("-inf"), "−∞"),
    ],
)  # fmt: skip
def test_numbers_fit_into_a_circle(value, text):
    assert captions.fitting(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_short_numbers_are_short_and_keep_sign_and_size(value):
    text = captions.fitting(value).replace("−", "-")
    assert len(text) <= (5 if 0.01 <= abs(value) < 1000 or value == 0 else 6)
    assert math.isclose(float(text), value, rel_tol=0.51, abs_tol=1e-45)


def test_the_output_says_class_and_probability():
    assert captions.output_labels("cross_entropy", np.array([math.log(0.81), math.log(0.19)]), 2) == (
        "class 0 · p 0.81",
        "class 1 · p 0.19",
    )
    assert captions.output_labels("cross_entropy", np.array([0.0, 0.0]), 2, ("cat", "dog")) == ("cat · p 0.50", "dog · p 0.50")
    assert captions.output_labels("cross_entropy", np.array([0.0, 0.0]), 2, ("0", "1")) == ("class 0 · p 0.50", "class 1 · p 0.50")
    assert captions.output_labels("cross_entropy", None, 2) == ("class 0", "class 1")
    assert captions.output_labels("bce", np.array([0.0]), 1) == ("class 1 · p 0.50",)
    assert captions.output_labels("mse", np.array([2.276]), 1) == ("ŷ 2.276",)
    assert captions.output_labels("cross_entropy", np.array([np.nan, 1.0]), 2) == ("class 0 · p NaN", "class 1 · p NaN")


def test_the_network_in_one_line():
    document = dropout_net()
    assert captions.summary(document, examine(document)) == "2 → 4 → 4 → 2 · 42 parameters"


# --- arrangement ---


@pytest.mark.parametrize("document", [dropout_net(), residual(), digits()])
@pytest.mark.parametrize("aspect", [0.5, 1.5, 4.0])
def test_layers_never_overlap_and_follow_their_inputs(document, aspect):
    faces = faces_of(document)
    places = arranged(document.network, faces, {}, aspect)
    assert crossing([box(faces[id], place) for id, place in places.items()]) == []
    assert all(places[link.source][0] < places[link.target][0] for link in document.network.links)
    assert all(x % 4 == 0 and y % 4 == 0 for x, y in places.values())


def test_a_wide_picture_spreads_the_columns_and_a_high_one_the_neurons():
    document = dropout_net()
    faces = faces_of(document)
    narrow, wide = (arranged(document.network, faces, {}, aspect) for aspect in (1.0, 5.0))
    assert wide["out"][0] > narrow["out"][0]
    assert pitch_factor(document.network, faces, 0.8) > 1 and pitch_factor(document.network, faces, 5.0) == pytest.approx(1, abs=0.02)


def test_placed_layers_stay_and_a_new_one_finds_room():
    document = dropout_net()
    faces = faces_of(document)
    canvas = {"x": (0.0, 0.0), "h1": (200.0, 0.0), "h2": (400.0, 100.0), "out": (560.0, 0.0)}
    places = arranged(document.network, faces, canvas)
    assert {id: places[id] for id in ("x", "h1", "h2")} == {id: canvas[id] for id in ("x", "h1", "h2")}
    assert places["h2"][0] < places["d1"][0] < places["out"][0]
    assert crossing([box(faces[id], place) for id, place in places.items()]) == []


@given(st.dictionaries(st.sampled_from(["x", "h1", "h2", "s", "c", "out"]), st.tuples(st.integers(-60, 60), st.integers(-60, 60))))
def test_wherever_layers_are_put_they_do_not_overlap(canvas):
    document = residual()
    faces = faces_of(document)
    places = arranged(document.network, faces, {id: (4.0 * x, 4.0 * y) for id, (x, y) in canvas.items()})
    assert crossing([box(faces[id], place) for id, place in places.items()]) == []


def test_links_that_skip_layers_pass_above_them_at_different_heights():
    document = residual()
    faces = faces_of(document)
    places = arranged(document.network, faces, {})
    heights = detours(document.network.links, faces, places)
    assert set(heights) == {Link("h1", "s"), Link("x", "c")}
    assert heights[Link("x", "c")] < heights[Link("h1", "s")] < places["h2"][1] - faces["h2"].top


def test_a_cycle_is_still_arranged():
    document = experiment(layer("input", "x"), layer("dense", "a"), layer("dense", "b"), links=[("a", "b"), ("b", "a")])
    assert set(arranged(document.network, faces_of(document), {})) == {"x", "a", "b"}


# --- wiring ---


def test_only_links_that_fit_may_be_drawn():
    network = residual().network
    targets = {layer.id: partners(network, layer.id, 1) for layer in network}
    assert "h1" not in targets["h1"]
    assert "s" not in targets["h1"], "already there"
    assert "s" not in targets["out"], "a cycle"
    assert "out" in targets["x"], "a dense layer takes one input: the new link takes the place of the old one"
    assert "x" not in targets["h1"], "an input takes none"
    assert "s" in targets["x"] and targets["h2"] == {"c", "out"}
    assert descendants(network, "h2") == {"s", "c", "out"}
    assert descendants(Network(network.layers, (Link("h1", "h2"), Link("h2", "h1"))), "h1") == {"h1", "h2"}


# --- curves ---


def course(document, source, target, **more):
    faces = faces_of(document)
    return Course(LinkEnds(faces[source], faces[target], (0.0, 0.0), (200.0, 0.0), kind=document.network.layer(target).kind, **more))


def test_the_style_of_a_link_follows_what_it_joins():
    assert course(dropout_net(), "h1", "h2").style == "weights"
    assert course(dropout_net(), "h2", "d1").style == "straight"
    assert course(digits(), "x", "h1").style == "ribbon"
    assert course(digits(), "h1", "out").style == "bands"
    assert course(residual(), "x", "c", detour=-100.0).style == "band"
    assert course(residual(), "x", "c", offset=3).pairs == [(3, 0), (4, 1)]


def test_the_nearest_curve_is_found_and_far_ones_are_not():
    found = course(dropout_net(), "x", "h1")
    assert len(found.pairs) == 8
    for curve in range(len(found.pairs)):
        x, y = found.points[max(curve, 0), found.points.shape[1] // 2]
        assert found.nearest((x, y), 6)[1] < 1e-6
    start = found.points[found.pairs.index((3, 1)), 15]
    assert found.pairs[found.nearest(tuple(start), 6)[0]] == (3, 1)
    assert found.nearest((0.0, 500.0), 6) == (-1, np.inf)


# --- figures ---


def shown(cursor=None, coloring="value", sample=0, document=None):
    index = TraceIndex(traces.dropout_net())
    document = document or dropout_net()
    return figures(document, examine(document), TraceState(index, index.length if cursor is None else cursor, sample), coloring), index


def test_values_weights_and_dropped_units_are_read_from_the_trace():
    picture, index = shown()
    trace = index.trace
    relu = next(node for node in trace.nodes if node.label == "relu" and node.module == "h1")
    assert picture.layers["h1"].node == relu.id
    assert picture.layers["h1"].values.tolist() == pytest.approx(index.array(relu.value)[0].tolist())
    assert picture.layers["x"].values.shape == (2,)
    weight = traces.node(trace, "h1.weight")
    assert np.array_equal(picture.weights["h1.weight"], index.array(index.updates[weight].before)), "its update is not made"
    assert np.array_equal(picture.updated["h1.weight"], index.array(index.updates[weight].after))
    mul = next(node for node in trace.nodes if node.label == "mul")
    assert picture.layers["d1"].dropped.tolist() == np.frombuffer(mul.dropped.data, bool).reshape(8, 4)[0].tolist()
    assert shown(sample=None)[0].layers["d1"].dropped is None


def test_what_is_not_computed_is_none():
    picture, _ = shown(cursor=0)
    assert all(layer.values is None for layer in picture.layers.values())
    assert set(picture.weights) == {f"{id}.{name}" for id in ("h1", "h2", "out") for name in ("weight", "bias")}
    trace = traces.dropout_net()
    first = traces.place(trace, "forward", "relu")
    picture, _ = shown(cursor=first)
    assert picture.layers["h1"].values is not None and picture.layers["h2"].values is None
    assert picture.layers["h1"].phase == "forward" and picture.layers["h2"].phase == ""


def test_gradients_come_when_they_have_arrived():
    assert shown(cursor=3, coloring="gradient")[0].weights == {}
    picture, index = shown(coloring="gradient")
    weight = index.node(traces.node(index.trace, "h1.weight"))
    assert np.array_equal(picture.weights["h1.weight"], index.array(weight.gradient))
    assert picture.layers["h1"].values is not None


def test_a_trace_of_an_older_network_is_not_drawn_where_it_does_not_fit():
    document = dropout_net()
    layers = tuple(layer("dense", "h1", units=6, activation="relu") if old.id == "h1" else old for old in document.network)
    document = msgspec.structs.replace(document, network=Network(layers, document.network.links))
    picture, _ = shown(document=document)
    assert picture.layers["h1"].values is None and "h1.weight" not in picture.weights and "h2.weight" not in picture.weights
    assert picture.layers["h2"].values is not None and "out.weight" in picture.weights


@pytest.mark.parametrize("loose", [Link("x", "gone"), Link("gone", "h1")])
def test_a_link_to_a_layer_that_is_not_there_hides_no_numbers(loose):
    document = dropout_net()
    kept = tuple(link for link in document.network.links if link.target != loose.target)
    document = msgspec.structs.replace(document, network=Network(document.network.layers, (*kept, loose)))
    for coloring in ("value", "contribution"):
        assert shown(document=document, coloring=coloring)[0].layers["x"].values is not None


def test_weights_written_in_the_document_are_known_without_a_trace():
    weights = {"h1.weight": [[0.1, 0.5]] * 4, "h2.weight": [[1.0], [1.0, 2.0]], "gone.weight": [[1.0]]}
    document = dropout_net(weights=weights)
    picture = figures(document, examine(document), None)
    assert set(picture.weights) == {"h1.weight"} and picture.layers == {}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.9, -1.7], 2.0),
        ([0.031], 0.05),
        ([0.0], 1.0),
        ([], 1.0),
        ([np.nan, 2.5], 3.0),
        ([1.0] * 9 + [80.0], 1.0),
        ([1e300], 1e300),
        ([8.2], 10.0),
    ],
)  # fmt: skip
def test_scales_are_round_and_withstand_one_outlier(values, expected):
    assert round_limit(np.array(values)) == pytest.approx(expected)


def test_facts_stand_under_the_layers():
    document = residual()
    report = examine(document)
    texts = [captions.facts(layer, report.layers[layer.id].output_shape, document) for layer in document.network]
    assert texts == ["2", "3 · linear", "3 · linear", "add", "concat", "2 · softmax"]


def test_dropout_that_is_off_passes_its_input_on():
    document = dropout_net()
    off = msgspec.structs.replace(document, training=msgspec.structs.replace(document.training, dropout=False))
    found = untraced_dropout(off)
    assert np.array_equal(found.layers["d1"].values, found.layers["h2"].values)
    assert found.layers["d1"].dropped is None
    assert captions.facts(off.network.layer("d1"), (4,), off) == "dropout off"


def untraced_dropout(document):
    """What is shown of the document with a trace that has no node of the dropout layer."""
    trace = traces.dropout_net()
    nodes = tuple(msgspec.structs.replace(node, module="", group=()) if "d1" in node.group else node for node in trace.nodes)
    outputs = trace.outputs | {"d1": trace.outputs["h2"]}
    index = TraceIndex(msgspec.structs.replace(trace, nodes=nodes, outputs=outputs))
    return figures(document, examine(document), TraceState(index, index.length))


@pytest.mark.parametrize(("cut", "column"), [(("out", None), "out"), (("h2", None), "h2"), (("h1", None), "h1")])
def test_what_is_cut_off_keeps_its_column(cut, column):
    document = experiment(layer("input", "x", shape=[2]), *(layer("dense", id, units=3) for id in ("h1", "h2", "out")))
    links = tuple(link for link in document.network.links if link.target != cut[0])
    loose = msgspec.structs.replace(document, network=Network(document.network.layers, links))
    order = sorted(faces_of(loose), key=lambda id: arranged(loose.network, faces_of(loose), {})[id])
    assert order == ["x", "h1", "h2", "out"]
    assert not any(captions.is_output(loose, layer) for layer in loose.network) or cut[0] != "out"


def test_links_that_skip_layers_stay_clear_of_names():
    document = residual()
    faces = faces_of(document)
    places = arranged(document.network, faces, {})
    around = detours(document.network.links, faces, places)
    for link, height in around.items():
        ends = LinkEnds(faces[link.source], faces[link.target], places[link.source], places[link.target], height)
        for id in (link.source, link.target):
            top = places[id][1] - faces[id].body[1] / 2
            beside = [x for x, y in Course(ends).points[0] if y < top]
            assert all(abs(x - places[id][0]) > faces[id].half_width for x in beside)


@pytest.mark.parametrize(("value", "text"), [(0.64, ".64"), (-0.36, "−.4"), (-1.14, "−1"), (12.3, "12")])
def test_numbers_fit_into_a_very_small_circle(value, text):
    assert captions.fitting(value, 3) == text


# --- blocks of channels, and what is said below a layer ---


def test_channels_stand_side_by_side_as_pictures():
    values = np.arange(3 * 2 * 2)
    cells = tiled(values, (4, 4), (2, 2), -1).reshape(4, 4)
    assert cells.tolist() == [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, -1, -1], [10, 11, -1, -1]]
    assert tiled(np.arange(3), (2, 2), (0, 0), -1).tolist() == [0, 1, 2, -1]


@pytest.mark.parametrize("shape", [(1, 8, 8), (6, 8, 8), (12, 2, 2), (5, 3, 7), (12, 8), (40,)])
def test_the_picture_of_a_block_has_a_cell_for_every_value(shape):
    document = experiment(layer("input", "x", shape=list(shape)), layer("flatten", "f"))
    shown = layer_size(document.network.layer("x"), shape, document)
    assert shown.grid[0] * shown.grid[1] >= math.prod(shape)
    assert tiled(np.ones(math.prod(shape)), shown.grid, shown.tile, 0.0).sum() == math.prod(shape)


def test_size_and_parameters_stand_below_a_layer():
    document = experiment(
        layer("input", "x", shape=[1, 8, 8]),
        layer("conv2d", "c", out_channels=6, padding=1),
        layer("flatten", "f"),
        layer("dense", "out", units=10),
    )
    report = examine(document)
    lines = [captions.counts(one, report.layers[one.id]) for one in document.network]
    assert lines == ["", "6 × 8 × 8 · 60 θ", "", "3,850 θ"]
    assert captions.summary(document, report) == "1×8×8 → 6×8×8 → 384 → 10 · 3,910 parameters"
    assert captions.counts(document.network.layer("c"), None) == ""


@pytest.mark.parametrize("sample", [0, 3, None])
def test_an_output_whose_rows_the_trace_did_not_find_is_still_shown(sample):
    trace = traces.dropout_net()
    nodes = tuple(msgspec.structs.replace(node, batch_axis=None) if node.kind == "operation" else node for node in trace.nodes)
    document, report = dropout_net(), examine(dropout_net())
    found, known = (
        figures(document, report, TraceState(TraceIndex(one), len(one.steps), sample))
        for one in (msgspec.structs.replace(trace, nodes=nodes), trace)
    )
    for id in ("h1", "h2", "out"):
        assert np.array_equal(found.layers[id].values, known.layers[id].values)
