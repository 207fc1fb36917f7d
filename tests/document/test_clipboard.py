"""Layers copied as text and put into a network, the same one or another."""

from __future__ import annotations

import json

import pytest

from nnviz.document import catalog, edits
from nnviz.document.network import Link
from nnviz.document.shapes.report import examine
from nnviz.document.store import files
from tests.document.documents import chain, experiment, random_document

BIAS = [1.0, 2.0, 3.0, 4.0]


@pytest.fixture
def present():
    return experiment(weights={"h1.bias": BIAS}, canvas={"x": (0.0, 0.0), "h1": (100.0, 20.0), "h2": (200.0, 0.0)})


def test_what_is_copied_is_a_document_that_opens(present):
    text = edits.clipping(present, ["h1", "h2"])
    assert set(json.loads(text)) == {"format", "version", "network", "weights", "canvas"}
    opened = files.loads(text.encode())
    assert [layer.id for layer in opened.network] == ["h1", "h2"] and opened.network.links == (Link("h1", "h2"),)
    assert opened.weights == {"h1.bias": BIAS} and opened.canvas == {"h1": (100.0, 20.0), "h2": (200.0, 0.0)}


def test_pasting_gives_new_ids_and_keeps_links_weights_and_places(present):
    named = edits.freeze_layer(edits.rename_layer(present, "h1", "hidden"), "h1")
    after = edits.paste_layers(named, edits.clipping(named, ["h2", "h1"]), (10, 20))
    assert [layer.id for layer in after.network] == ["x", "h1", "h2", "dense1", "dense2"]
    assert after.network.links == (*named.network.links, Link("dense1", "dense2"))
    copy = after.network.layer("dense1")
    assert (copy.name, copy.frozen, copy["units"]) == ("hidden 2", True, 4)
    assert after.weights["dense1.bias"] == BIAS and after.canvas["dense1"] == (110.0, 40.0)
    assert after.canvas["h1"] == (100.0, 20.0)


def test_pasting_into_another_document(present):
    other = experiment(chain(catalog.new_layer("input", "in"), catalog.new_layer("dense", "dense1", units=2)))
    after = edits.paste_layers(other, edits.clipping(present, ["h1"]))
    assert [layer.id for layer in after.network] == ["in", "dense1", "dense2"] and after.weights == {"dense2.bias": BIAS}
    assert after.training == other.training and after.data == other.data and after.title == other.title


def test_a_whole_document_can_be_pasted(present):
    after = edits.paste_layers(present, files.dumps(present).decode())
    assert len(after.network.layers) == 6 and len(examine(after).problems) >= 1


@pytest.mark.parametrize("seed", range(8))
def test_any_part_of_any_document_travels(seed):
    whole = random_document(seed)
    after = edits.paste_layers(experiment(), edits.clipping(whole, [layer.id for layer in whole.network]))
    copies = after.network.layers[3:]
    assert [(layer.kind, layer.settings) for layer in copies] == [(one.kind, one.settings) for one in whole.network]
    names = [one.name for one in whole.network]
    same = [layer.name == name or names.count(name) > 1 for layer, name in zip(copies, names, strict=True)]
    assert all(same), "only namesakes get a number"
    assert len(after.network.links) == 2 + len(whole.network.links)
    assert len({layer.id for layer in after.network}) == len(after.network.layers)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no layers"), ("hello", "holds no layers"), ("[1, 2]", "holds no layers"), ("{}", "format"), ('{"format"', "not JSON"),
        ('{"format": "nnviz", "version": 1, "network": {"layers": [{"id": "a", "kind": "none"}], "links": []}}', "no kind that exists"),
        ("{" * 100_000, "nested far too deeply|not JSON"), ("{\ud800}", "no network"),
    ],
)  # fmt: skip
def test_other_texts_are_refused_with_a_sentence(text, message):
    with pytest.raises(edits.Refused, match=message):
        edits.paste_layers(experiment(), text)


def test_no_more_layers_than_a_network_may_have():
    present = experiment()
    text = edits.clipping(present, ["x", "h1", "h2"])
    many = json.loads(text)
    many["network"] = {"layers": [{"id": f"a{n}", "kind": "flatten"} for n in range(catalog.MOST_LAYERS)], "links": []}
    with pytest.raises(edits.Refused, match="at most 1,000 layers"):
        edits.paste_layers(present, json.dumps(many))
