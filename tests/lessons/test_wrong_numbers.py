"""The wrong numbers that are offered to an author are those of the misconception, and never the right one."""

from __future__ import annotations

import numpy as np
import pytest

from nnviz.jobs.teaching import _Player
from nnviz.lessons.checks import is_near
from nnviz.lessons.expression import ExpressionError, number
from nnviz.lessons.lesson import LessonStep
from nnviz.lessons.misconceptions import MISCONCEPTIONS
from nnviz.lessons.trace_names import node_named
from nnviz.lessons.wrong_numbers import asked_expression, lesson_name, suggested


def facts_of(document: str, **more):
    player = _Player()
    player._set_up(LessonStep("Look.", document, **more))
    return player.facts()


@pytest.fixture(scope="module")
def xor():
    return facts_of("example:xor")


@pytest.mark.parametrize("document", ["template:worked_2-2-1", "example:xor", "template:residual_mlp", "template:recurrent_neuron"])
def test_every_node_is_found_by_its_name_and_no_suggestion_is_the_right_number(document: str) -> None:
    facts = facts_of(document)
    offered = 0
    for node in facts.index.trace.nodes:
        assert node_named(facts.index, lesson_name(facts.index, node.id)) == node.id
        for kind in ("value", "gradient", "updated"):
            expression = asked_expression(facts.index, node.id, (), kind)
            try:
                right = number(expression, facts.names)
            except ExpressionError:
                assert suggested(expression, facts) == []
                continue
            for wrong in suggested(expression, facts):
                assert not is_near(number(wrong.answer, facts.names), right, 0.01), wrong
                assert wrong.idea in MISCONCEPTIONS or wrong.idea.endswith(".")
                offered += 1
    assert offered > 20


def ideas(facts, expression: str) -> dict[str, float]:
    return {wrong.idea: number(wrong.answer, facts.names) for wrong in suggested(expression, facts)}


def test_they_are_the_numbers_of_their_misconceptions(xor) -> None:
    names = xor.names
    found = ideas(xor, "gradient('h1/linear')[0, 1]")
    a, g = names["value"]("h1/tanh")[0, 1], names["gradient"]("h1/tanh")[0, 1]
    assert np.isclose(found["local_derivative_left_out"], g) and np.isclose(g * (1 - a**2), names["gradient"]("h1/linear")[0, 1])
    found = ideas(xor, "gradient('h1/tanh')[0, 1]")
    assert np.isclose(found["updated_too_early"], names["gradient"]("out/linear")[0, 0] * names["updated"]("out.weight")[0, 1])
    found = ideas(xor, "gradient('h1.weight')[2, 1]")
    assert np.isclose(found["rows_not_summed"], names["gradient"]("h1/linear")[0, 2] * names["value"]("x")[0, 1])
    assert np.isclose(found["mean_for_sum"], names["gradient"]("h1.weight")[2, 1] / 32)
    found = ideas(xor, "value('out/linear')[3, 0]")
    assert np.isclose(found["bias_left_out"], names["value"]("out/linear")[3, 0] - names["value"]("out.bias")[0])
    assert set(ideas(xor, "loss")) == {"sign", "sum_for_mean", "mean_for_sum", "half_loss"}


def test_a_value_used_twice_is_offered_one_contribution() -> None:
    facts = facts_of("template:residual_mlp")
    name = next(
        lesson_name(facts.index, node.id)
        for node in facts.index.trace.nodes
        if node.kind == "operation" and len(facts.index.out_edges.get(node.id, ())) > 1
    )
    answers = [wrong.answer for wrong in suggested(f"gradient('{name}')[0, 0]", facts) if wrong.idea == "not_summed"]
    assert answers and all(answer.startswith(f"contribution('{name}'") for answer in answers)


def test_the_row_comes_where_the_batch_is_and_a_neuron_says_its_own_element() -> None:
    facts = facts_of("template:recurrent_neuron")
    node = next(node for node in facts.index.trace.nodes if node.operation == "tanh")
    assert asked_expression(facts.index, node.id, (0,), "value").endswith("[0, 0]")
    neurons = facts_of("template:worked_2-2-1", detail="neurons").index
    neuron = neurons.scalars_of[node_named(neurons, "h1/relu")][1,]
    assert asked_expression(neurons, neuron, (), "gradient") == "gradient('h1/relu')[0, 1]"


@pytest.mark.parametrize("text", ["", "value(", "nowhere('x')[0]", "value('nowhere')[0]", "value('h1/linear')", "1 / 0"])
def test_where_nothing_can_be_worked_out_nothing_is_offered(xor, text: str) -> None:
    assert suggested(text, xor) == []
