"""The document as JSON: what is written, what is read back, and every fault at its place."""

from __future__ import annotations

import json
import time
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz.document import catalog, edits
from nnviz.document.edits import apply_fix
from nnviz.document.experiment import Experiment
from nnviz.document.network import Choice, Layer, Network
from nnviz.document.shapes.report import examine
from nnviz.document.store import json_text
from nnviz.document.store.examples import example_names, example_path
from nnviz.document.store.files import DocumentError, dumps, loads
from tests.document.documents import dense_net, experiment, random_document

SAMPLE = b"""{"format": "nnviz", "version": 1, "title": "Two moons", "seed": 7, "precision": "float32",
 "data": {"kind": "moons", "samples": 500, "noise": 0.2, "validation": 0.3, "scaling": "standardise"},
 "network": {
   "layers": [{"id": "x", "kind": "input", "shape": [2]},
              {"id": "h1", "kind": "dense", "units": 4, "activation": "relu"},
              {"id": "d1", "kind": "dropout", "p": 0.2},
              {"id": "out", "kind": "dense", "units": 2}],
   "links": [["x", "h1"], ["h1", "d1"], ["d1", "out"]]},
 "training": {"loss": "cross_entropy", "optimizer": {"kind": "adam", "learning_rate": 0.01}, "batch_size": 32,
              "schedule": {"kind": "constant"}, "l1": 0.0, "l2": 0.0, "clip_norm": null, "dropout": true, "early_stopping": null},
 "weights": {"h1.weight": [[0.1, 0.5], [0.8, -0.3], [1, 2], [3, 4]]},
 "canvas": {"x": [0, 0]}}
"""


def faults(data):
    """Return (place, message and cure) of every fault."""
    with pytest.raises(DocumentError) as caught:
        loads(data, "f.json")
    assert str(caught.value).startswith("f.json: ") and len(str(caught.value).splitlines()) == len(caught.value.problems) <= 20
    return [(problem.place, f"{problem.message} {problem.cure}") for problem in caught.value.problems]


def changed(path, value):
    """Return the sample with the value at a path (keys and places) replaced, or a key added."""
    document = json.loads(SAMPLE)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(document).encode()


# --- what is read ---


def test_the_sample_is_read():
    present = loads(SAMPLE)
    assert present.title == "Two moons" and present.network.layer("h1").settings == {
        "units": 4,
        "activation": "relu",
        "negative_slope": 0.01,
        "bias": True,
    }
    assert present.training.optimizer["beta1"] == 0.9 and present.training.clip_norm is None
    assert present.weights["h1.weight"][2] == [1.0, 2.0] and present.canvas == {"x": (0.0, 0.0)}


def test_everything_but_the_network_has_a_default():
    present = loads(b'{"format": "nnviz", "version": 1, "network": {"layers": [{"id": "x", "kind": "input"}]}}')
    assert present == Experiment(Network((catalog.new_layer("input", "x"),)), json_text.DEFAULT_DATA, json_text.DEFAULT_TRAINING)


def test_a_byte_order_mark_is_skipped():
    assert loads(b"\xef\xbb\xbf" + SAMPLE) == loads(SAMPLE)


def test_older_versions_are_migrated(monkeypatch):
    monkeypatch.setattr(json_text, "VERSION", 2)
    monkeypatch.setitem(json_text.MIGRATIONS, 1, lambda document: document | {"title": document["title"].upper()})
    assert loads(SAMPLE).title == "TWO MOONS"


# --- what is written ---


def test_it_reads_well_in_a_diff():
    lines = dumps(loads(SAMPLE)).decode().splitlines()
    assert '      {"id": "d1", "kind": "dropout", "p": 0.2},' in lines
    assert '      {"id": "out", "kind": "dense", "units": 2}' in lines
    assert '    "links": [["x", "h1"], ["h1", "d1"], ["d1", "out"]]' in lines
    assert lines[4:6] == ['  "seed": 7,', '  "precision": "float32",'] and max(map(len, lines)) <= 150


def test_defaults_are_left_out_but_for_the_essential_ones():
    text = dumps(experiment(dense_net(2, 4, 2))).decode()
    for left_out in ("beta1", "schedule", "bias", "clip_norm", "weights", "canvas", "initializer"):
        assert left_out not in text
    for essential in ('"units": 4', '"noise": 0.2', '"learning_rate"', '"loss"', '"batch_size": 32', '"dropout": true', '"seed": 0'):
        assert essential in text


def test_long_lists_have_one_row_a_line():
    present = edits.set_parameter(experiment(dense_net(2, 20, 2)), "h1.weight", [[0.123456789, -1.5]] * 20)
    assert dumps(present).decode().count("\n      [0.123456789, -1.5]") == 20
    assert loads(dumps(present)) == present


@pytest.mark.parametrize("name", example_names())
def test_examples_are_written_as_they_stand_in_the_repository(name):
    data = example_path(name).read_bytes()
    assert dumps(loads(data)) == data


@given(st.integers(0, 10**9))
def test_what_is_written_is_read_back_equal(seed):
    present = random_document(seed)
    data = dumps(present)
    assert loads(data) == present and dumps(loads(data)) == data


@given(st.integers(0, 10**9))
def test_the_wire_keeps_it_equal(seed):
    present = random_document(seed)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(present), type=Experiment) == present


# --- faults ---


@pytest.mark.parametrize(
    ("path", "value", "place", "words"),
    [
        (["format"], "torch", "format", "nnviz"),
        (["version"], 2, "version", "newer nnviz"),
        (["version"], "1", "version", '"1" is not a version'),
        (["version"], True, "version", "not a version"),
        (["version"], 0, "version", "not a version"),
        (["sead"], 1, "sead", "Did you mean seed"),
        (["seed"], -1, "seed", "from 0 to"),
        (["seed"], 2**70, "seed", "from 0 to"),
        (["seed"], 1.0, "seed", "whole number"),
        (["seed"], True, "seed", "whole number"),
        (["title"], "a\nb", "title", "one line"),
        (["title"], "\ud800", "title", "one line"),
        (["title"], 3, "title", "one line"),
        (["precision"], "half", "precision", "float32, float64"),
        (["data"], [], "data", "not an object"),
        (["data", "kind"], "loons", "data.kind", "Did you mean moons"),
        (["data", "noise"], "much", "data.noise", "a number from 0 to 10"),
        (["data", "noise"], float("nan"), "data.noise", "a number from 0 to 10"),
        (["data", "noise"], float("inf"), "data.noise", "a number from 0 to 10"),
        (["data", "nose"], 1, "data.nose", "Did you mean noise"),
        (["network"], None, "network", "not an object"),
        (["network", "layers"], {}, "network.layers", "a list of at most 1,000"),
        (["network", "layer"], [], "network.layer", "Did you mean layers"),
        (["network", "layers", 2], 7, "network.layers[2]", "not an object"),
        (["network", "layers", 2, "p"], "1", "network.layers[2].p", "from 0 to 0.99"),
        (["network", "layers", 1, "units"], 2.0, "network.layers[1].units", "whole number"),
        (["network", "layers", 1, "units"], 2**40, "network.layers[1].units", "from 1 to 4,096"),
        (["network", "layers", 2, "q"], 1, "network.layers[2].q", "There is: id, kind, p"),
        (["network", "layers", 2, "kind"], "dropoff", "network.layers[2].kind", "Did you mean dropout"),
        (["network", "layers", 2, "kind"], ["dropout"], "network.layers[2].kind", "no kind that exists"),
        (["network", "layers", 2, "id"], "h1", "network.layers[2].id", "Another layer"),
        (["network", "layers", 2, "id"], "2d", "network.layers[2].id", "no id"),
        (["network", "layers", 2, "id"], "a.b", "network.layers[2].id", "no id"),
        (["network", "layers", 2, "id"], "é", "network.layers[2].id", "no id"),
        (["network", "layers", 2, "id"], "a" * 41, "network.layers[2].id", "no id"),
        (["network", "layers", 2, "id"], None, "network.layers[2].id", "no id"),
        (["network", "layers", 2, "frozen"], 1, "network.layers[2].frozen", "true or false"),
        (["network", "layers", 2, "initializer"], "he", "network.layers[2].initializer", "one of"),
        (["network", "layers", 0, "shape"], [2, 0], "network.layers[0].shape", "whole numbers"),
        (["network", "layers", 0, "shape"], [], "network.layers[0].shape", "1 to 4"),
        (["network", "layers", 0, "shape"], [1] * 5, "network.layers[0].shape", "1 to 4"),
        (["network", "links", 1], ["h1"], "network.links[1]", "[from, to]"),
        (["network", "links", 1], "h1 d1", "network.links[1]", "[from, to]"),
        (["network", "links", 1], [["h1"], "d1"], "network.links[1]", "[from, to]"),
        (["network", "links", 1], ["h1", "d2"], "network.links[1]", "There is: d1"),
        (["training"], 1, "training", "not an object"),
        (["training", "batch_size"], 0, "training.batch_size", "or none"),
        (["training", "l1"], None, "training.l1", "from 0"),
        (["training", "optimizer"], "adam", "training.optimizer", "not an object"),
        (["training", "optimizer", "kind"], "adamm", "training.optimizer.kind", "Did you mean adam"),
        (["training", "optimizer", "beta3"], 0, "training.optimizer.beta3", "Did you mean beta"),
        (["training", "schedule"], {}, "training.schedule.kind", "There is: constant"),
        (["weights"], [], "weights", "not an object"),
        (["weights", "h1.weight"], [[1, 2], [3]], "weights.h1.weight", "equally long lists"),
        (["weights", "h1.weight"], [1, float("nan")], "weights.h1.weight", "finite"),
        (["weights", "h1.weight"], "1", "weights.h1.weight", "equally long lists"),
        (["weights", "h1.weight"], [[[[[[[[[1.0]]]]]]]]], "weights.h1.weight", "8 at most"),
        (["weights", "h1.weight"], [10**400], "weights.h1.weight", "finite"),
        (["breakpoints"], {}, "breakpoints", "a list of at most 100"),
        (["breakpoints"], [{"kind": "non_finite"}] * 101, "breakpoints", "a list of at most 100"),
        (["breakpoints"], ["node"], "breakpoints[0]", "not an object"),
        (["breakpoints"], [{"kind": "gradiant"}], "breakpoints[0].kind", "Did you mean gradient"),
        (["breakpoints"], [{"kind": "node"}], "breakpoints[0].target", "as h1/relu"),
        (["breakpoints"], [{"kind": "parameter", "target": 3}], "breakpoints[0].target", "one line"),
        (["breakpoints"], [{"kind": "non_finite", "threshold": 1}], "breakpoints[0].threshold", "There is: kind, enabled"),
        (["breakpoints"], [{"kind": "gradient", "threshold": -1}], "breakpoints[0].threshold", "from 0 to"),
        (["breakpoints"], [{"kind": "gradient", "threshold": float("inf")}], "breakpoints[0].threshold", "from 0 to"),
        (["breakpoints"], [{"kind": "activation", "comparison": "over"}], "breakpoints[0].comparison", "above, below"),
        (["breakpoints"], [{"kind": "non_finite", "enabled": 1}], "breakpoints[0].enabled", "true or false"),
        (["canvas", "zz"], [0, 0], "canvas.zz", "There is"),
        (["canvas", "h1"], [0, "0"], "canvas.h1", "[x, y]"),
        (["canvas", "h1"], [0, 10**400], "canvas.h1", "[x, y]"),
        (["canvas", "h1"], 5, "canvas.h1", "[x, y]"),
    ],
)  # fmt: skip
def test_each_fault_is_named_at_its_place(path, value, place, words):
    (found,) = [fault for fault in faults(changed(path, value)) if fault[0] == place]
    assert words in found[1]


@pytest.mark.parametrize(
    ("path", "value", "place", "layer"),
    [
        (["network", "layers", 1, "units"], 1_000_000, "network.layers[1].units", "h1"),
        (["network", "layers", 1, "units"], 0, "network.layers[1].units", "h1"),
        (["network", "layers", 2, "p"], 1, "network.layers[2].p", "d1"),
        (["network", "links", 1], ["h1", "h1"], "network.links[1]", "h1"),
        (["network", "links", 1], ["x", "h1"], "network.links[1]", "h1"),
        (["network", "links", 0], ["out", "h1"], "network.links[0]", "h1"),
    ],
)
def test_a_broken_network_opens_says_where_and_is_saved(path, value, place, layer):
    present = loads(changed(path, value))
    found = [problem for problem in examine(present).problems if problem.place == place]
    assert found and found[0].layer == layer and found[0].fix
    assert loads(dumps(present)) == present
    assert place not in [problem.place for problem in examine(apply_fix(present, found[0].fix)).problems]


def test_the_network_is_needed():
    document = json.loads(SAMPLE)
    del document["network"], document["canvas"]
    assert [place for place, _ in faults(json.dumps(document).encode())] == ["network"]


def test_all_faults_come_in_one_go():
    document = json.loads(SAMPLE) | {"sead": 1, "seed": "x"}
    document["network"]["layers"][1]["units"] = "0"
    document["training"]["dropout"] = "no"
    places = [place for place, _ in faults(json.dumps(document).encode())]
    assert sorted(places) == ["network.layers[1].units", "sead", "seed", "training.dropout"]


def test_twenty_lines_are_the_most():
    document = json.loads(SAMPLE) | {f"key{index}": 1 for index in range(90_000)}
    found = faults(json.dumps(document).encode())
    assert len(found) == 20


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (b'"seed": 7', b'"seed": 7, "seed": 8', "seed"),
        (b'"p": 0.2', b'"p": 0.2, "p": 0.2', "network.layers[2].p"),
        (b'"kind": "adam"', b'"kind": "adam", "kind": "sgd"', "training.optimizer.kind"),
        (b'"x": [0, 0]', b'"x": [0, 0], "x": [1, 1]', "canvas.x"),
    ],
)
def test_a_key_that_is_there_twice(old, new, place):
    assert faults(SAMPLE.replace(old, new)) == [(place, "It is written twice. Keep one of the two.")]


@pytest.mark.parametrize("token", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 30, b"9" * 100_000, b"-" + b"9" * 5_000])
def test_numbers_that_are_none(token):
    assert [place for place, _ in faults(SAMPLE.replace(b'"p": 0.2', b'"p": ' + token))] == ["network.layers[2].p"]


@pytest.mark.parametrize(
    ("data", "place", "words"),
    [
        (b"", "the whole file", "empty"),
        (b" \n", "the whole file", "empty"),
        (b"\xef\xbb\xbf", "line 1, column 1", "not JSON"),
        (b"[]", "format", '"format": "nnviz"'),
        (b"3", "format", '"format": "nnviz"'),
        (b"null", "format", '"format": "nnviz"'),
        (b'"nnviz"', "format", '"format": "nnviz"'),
        (b"\xff\xfe{\x00}\x00", "byte 1", "UTF-8"),
        (SAMPLE.replace(b"Two", b"Tw\xff"), "byte 47", "UTF-8"),
        (SAMPLE.replace(b"seed", b"s\x00eed"), "line 1, column 59", "not JSON"),
        (SAMPLE + b"}", "line 13, column 1", "not JSON"),
        (b"\x80\x04\x95\x10", "the whole file", "pickle"),
        (b"PK\x03\x04 no zip", "the whole file", "cut off"),
        (b"\x93NUMPY", "byte 1", "UTF-8"),
    ],
)
def test_what_is_no_document(data, place, words):
    ((found, text),) = faults(data)
    assert found == place and words in text


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"format": "nnviz", "version": 1, "network": ' + b"["])
def test_deep_nesting(opening):
    started = time.process_time()
    ((place, text),) = faults(opening * 30_000)
    assert place == "the whole document" and "nested" in text and time.process_time() - started < 1


def test_a_document_cut_anywhere_is_refused():
    data = dumps(loads(SAMPLE))
    for percent in range(100):
        ((place, _),) = faults(data[: len(data) * percent // 100])
        assert place.startswith("line ") or percent == 0


def test_lone_halves_of_characters_never_come_in():
    data = SAMPLE.replace(b'"h1.weight"', b'"h1.\\ud800"')
    assert loads(data).weights and dumps(loads(data))


# --- mutations ---


def mutated(random: Random, data: bytes) -> bytes:
    """Return the bytes with some cut, doubled, exchanged or turned into something else, or as they are."""
    for _ in range(random.randint(0, 3)):
        start = random.randrange(len(data) + 1)
        end = min(len(data), start + random.randint(0, 12))
        piece = random.choice(
            [
                b"",
                bytes([random.randrange(256)]),
                b"null",
                b"[",
                b"}",
                b"1e999",
                b"-1",
                b'"x"',
                b"true",
                data[end : end + 20],
                b"\xed\xa0\x80",
            ]
        )
        data = data[:start] + piece + data[end:]
    return data


def grown(random: Random, value, depth=0):
    """Return the JSON value with some of its parts exchanged for others."""
    if random.random() < 0.04:
        return random.choice([None, True, -1, 1e308, 2**64, "", "x", "é\ud800", [], {}, [[]], {"kind": "dense"}, [None] * 3, ["x", "h1"]])
    if isinstance(value, dict):
        kept = {random.choice([key] * 30 + ["kind"]): grown(random, entry, depth + 1) for key, entry in value.items()}
        return kept | ({"more": 1} if random.random() < 0.02 else {})
    if isinstance(value, list):
        kept = [grown(random, entry, depth + 1) for entry in value if random.random() > 0.03]
        return kept + kept[:1] if random.random() < 0.03 else kept
    return value


def check(data):
    """Read the bytes; anything but a DocumentError or a document that can be written again fails."""
    try:
        present = loads(data, "f.json")
    except DocumentError as error:
        assert error.problems and all(problem.place and problem.cure for problem in error.problems)
        return False
    assert loads(dumps(present)) == present
    return True


@pytest.mark.parametrize("seed", range(5))
def test_a_thousand_mutated_texts(seed):
    random = Random(seed)
    sources = [SAMPLE] + [dumps(random_document(seed * 10 + index)) for index in range(5)]
    results = [check(mutated(random, random.choice(sources))) for _ in range(1_000)]
    assert 0 < sum(results) < 1_000


@pytest.mark.parametrize("seed", range(5))
def test_a_thousand_mutated_values(seed):
    random = Random(seed)
    sources = [json.loads(dumps(random_document(seed * 10 + index))) for index in range(5)]
    results = [check(json.dumps(grown(random, random.choice(sources))).encode()) for _ in range(1_000)]
    assert 0 < sum(results) < 1_000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["title", "seed", "precision", "data", "network", "training", "weights", "canvas", "breakpoints"]), json_values
    )
)
def test_any_json_in_any_place(document):
    check(json.dumps({"format": "nnviz", "version": 1, "network": {}} | document).encode())


@given(st.binary())
def test_any_bytes(data):
    check(data)


def test_what_no_catalog_row_knows_is_not_written():
    with pytest.raises(KeyError):
        dumps(experiment(Network((Layer("x", "unknown"),))))
    with pytest.raises(KeyError):
        dumps(experiment(optimizer=Choice("unknown")))
