"""What is said of what the doctor found, and what it takes to be called healthy."""

import pytest

from nnviz.document.finding_kinds import FINDING_KINDS
from nnviz.records.finding import Finding
from nnviz.text import finding_text

TITLES = {"h1": "dense 1"}


def found(kind: str, place: str = "h1", **more) -> Finding:
    return Finding(kind, place, "It is so.", "1 (bound 2)", **more)


@pytest.mark.parametrize("kind", FINDING_KINDS)
def test_every_kind_has_a_headline_and_a_reason(kind):
    formula, text = finding_text.why(found(kind))
    assert formula and text.count(". ") >= 1 and text.endswith(".")
    assert "dense 1" in finding_text.headline(found(kind, since=12), TITLES)


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (found("vanishing", since=12), "vanishing gradients in dense 1 since iteration 12"),
        (found("vanishing"), "vanishing gradients in dense 1 from the start"),
        (found("dead_relu", since=1200), "dead ReLU in dense 1 since iteration 1,200"),
        (found("rate_too_large", "training.optimizer.learning_rate", since=5), "learning rate too large since iteration 5"),
        (found("non_finite", since=2), "not finite in dense 1 at iteration 3"),
        (found("no_non_linearity"), "no non-linearity in dense 1"),
        (found("input_scale", "data"), "input scale"),
    ],
)
def test_a_headline(finding, text):
    assert finding_text.headline(finding, TITLES) == text
    assert finding_text.first_line((finding, finding, finding), TITLES) == f"{text} · 2 more"


def test_only_what_is_judged_is_healthy():
    judged = ("vanishing", "exploding", "input_scale")
    assert finding_text.healthy((), judged) == ("gradients", "scaling")
    assert finding_text.healthy((found("vanishing"),), judged) == ("scaling",)
    assert finding_text.healthy((found("dead_relu"),), judged) == ("scaling",), "nothing comes back through dead units"
    few_dead = found("dead_relu", is_information=True)
    assert finding_text.healthy((few_dead,), judged) == ("gradients", "scaling")
    assert "units" not in finding_text.healthy((few_dead,), (*judged, "dead_relu"))
    assert finding_text.is_judged(judged) and not finding_text.is_judged(("input_scale", "start_loss"))
