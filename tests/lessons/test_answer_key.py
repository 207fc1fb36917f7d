"""What a teacher is told of a question: all of it measured, held against how the same answers are judged."""

from __future__ import annotations

import pytest

from nnviz.jobs.teaching import _Player
from nnviz.lessons.answer_key import UNKNOWN, answer_key
from nnviz.lessons.checks import judge
from nnviz.lessons.lesson import Ask, Option, Wrong
from nnviz.lessons.misconceptions import MISCONCEPTIONS
from nnviz.lessons.store import open_lesson


@pytest.fixture(scope="module")
def player():
    made = _Player()
    made._set_up(open_lesson("first_backward_pass").steps[0])
    return made


def test_numbers_are_those_that_would_be_judged_so(player):
    facts, asked = player.facts(), open_lesson("first_backward_pass").steps[0].ask
    key = answer_key(asked, facts)
    assert judge(asked, key.right, facts).is_right and len(key.wrong) == len(asked.wrong) > 0
    for answer, idea in key.wrong:
        judged = judge(asked, answer, facts)
        assert not judged.is_right and idea in judged.sentence


def test_a_wrong_way_that_leads_to_the_right_number_here_is_left_out(player):
    ask = Ask("number", "?", answer="2 * 2", wrong=(Wrong("2 + 2", "sign"), Wrong("2 - 2", "twice"), Wrong("value('nowhere')", "sign")))
    assert answer_key(ask, player.facts()) == ("4", (("0", MISCONCEPTIONS["twice"]),))


def test_of_a_choice_all_right_options_and_what_the_others_have_thought(player):
    options = (Option("one", "1 > 2", "That is less."), Option("{= 1 + 1 }", "2 > 1"), Option("three", "3 > 1"), Option("none", "1 > 3"))
    assert answer_key(Ask("choice", "?", options=options), player.facts()) == ("B: 2; C: three", (("A", "That is less."),))


def test_of_clicks_and_changes_an_example(player):
    facts = player.facts()
    assert answer_key(Ask("click", "?", when="True", example="h1/relu"), facts).right == "`h1/relu`"
    assert answer_key(Ask("change", "?", when="True", example="iterations=3"), facts).right == "for example 3 iterations"
    assert answer_key(Ask("change", "?", when="True", example="training.l2=0.1"), facts).right == "for example `training.l2` set to 0.1"


def test_what_cannot_be_worked_out_is_a_dash(player):
    assert answer_key(Ask("number", "?", answer="value('nowhere')"), player.facts()) == (UNKNOWN, ())
