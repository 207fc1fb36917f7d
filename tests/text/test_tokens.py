"""Numbers of tokens are shown with their characters or words, where the data is a text, and nowhere else."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from nnviz import jobs
from nnviz.document.tiny_text import vocabulary as known
from nnviz.engine.observe.data_records import data_record
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_state import TraceState
from nnviz.text.tokens import vocabulary, written
from nnviz.ui.graph import _neuron_diagram, strips, structure
from nnviz.ui.graph.appearance import Appearance
from nnviz.ui.graph.card_states import CardScales
from nnviz.ui.graph.neuron_states import NeuronScales
from tests.ui.network.networks import experiment, layer


@pytest.fixture(scope="module", params=["characters", "words"])
def document(request):
    count = len(known(request.param))
    made = experiment(
        layer("input", "x", shape=[4]),
        layer("embedding", "e", num_embeddings=count, embedding_dim=2),
        layer("flatten", "f"),
        layer("dense", "out", units=count),
        data="text",
    )
    settings = made.data.settings | {"unit": request.param, "window": 4}
    return jobs.OpenedFile(msgspec.structs.replace(made, data=msgspec.structs.replace(made.data, settings=settings)), None), request.param


@pytest.fixture(scope="module")
def index(document):
    return TraceIndex(jobs.trace_record(document[0], 0, "textbook"))


def _names(unit):
    return tuple("␣" if token == " " else token for token in known(unit))


def test_only_whole_numbers_of_tokens_are_written():
    assert written([1.0, 0.0], ("a", "b")) == ("1 b", "0 a")
    for wrong in ([0.5], [2.0], [-1.0], [0.0, float("nan")], [float("inf")]):
        assert written(wrong, ("a", "b")) == ()


def test_the_vocabulary_is_that_of_a_text_only(document):
    of_text = data_record(jobs.HeadlessRun(document[0]).timeline.trainer.data)
    assert vocabulary(of_text) == _names(document[1])
    assert vocabulary(data_record(jobs.HeadlessRun(jobs.open_document("example:moons")).timeline.trainer.data)) == ()
    assert vocabulary(None) == ()


@pytest.mark.parametrize("row", [0, 3])
def test_cards_and_tooltips_say_the_token_beside_its_number(index, document, row):
    names = _names(document[1])
    state = TraceState(index, index.length, row)
    scales = CardScales(state, names)
    diagram = structure.diagram(index.trace)
    shown = {}
    for card in diagram.cards.values():
        seen = scales.node_state(state, card, Appearance(tokens=names))
        if seen.value.words:
            shown[seen.name] = seen.value.words
            assert ", ".join(seen.value.words) in scales.tooltip(state, card, Appearance())
    (x,) = (node for node in index.trace.nodes if node.label == "x")
    numbers = state.row(x.id, x.value)
    assert shown["x"] == shown["long"] == tuple(f"{int(number)} {names[int(number)]}" for number in numbers)
    assert len(shown["target"]) == 1 and set(shown) == {"x", "long", "target"}


def test_a_mean_over_the_batch_is_no_token(index, document):
    x = index.trace.nodes[0]
    assert not np.equal(np.mod(TraceState(index, 1, None).row(x.id, x.value), 1), 0).all()
    assert strips.value_strip(TraceState(index, 1, None), x, _names(document[1])).words == ()


def test_the_width_of_a_card_does_not_depend_on_the_cursor(qapp, index, document):
    x = index.trace.nodes[0]
    before, after = (strips.width(strips.value_strip(TraceState(index, cursor, 0), x, _names(document[1]))) for cursor in (0, 5))
    assert before == after


def test_a_character_stands_in_its_neuron():
    text = experiment(layer("input", "x", shape=[2]), layer("dense", "out", units=24), data="text")
    text = msgspec.structs.replace(text, data=msgspec.structs.replace(text.data, settings=text.data.settings | {"window": 2}))
    index = TraceIndex(jobs.trace_record(jobs.OpenedFile(text, None), 0, "neurons"))
    names, state = _names("characters"), TraceState(index, index.length, 0)
    diagram = _neuron_diagram.diagram(index)
    scales, first = NeuronScales(state, diagram), list(diagram.cards.values())[:2]
    said = [scales.node_state(state, card, Appearance(tokens=names)).value.text for card in first]
    numbers = [int(index.array(index.node(card.shown).value)[0]) for card in first]
    assert said == [f"{number} {names[number]}" for number in numbers]
