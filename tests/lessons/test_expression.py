"""The language of lessons says what is measured, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnviz.document.store.examples import open_document
from nnviz.lessons.checks import filled
from nnviz.lessons.expression import ExpressionError, evaluate, number, truth
from nnviz.lessons.facts import Facts

NAMES = {"x": np.array([[1.0, 2.0], [3.0, 4.0]]), "value": lambda name: {"a": 2.0}[name]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1 + 2 * 3 - 4 / 8", 6.5),
        ("-2 ** 2", -4.0),
        ("x[1, 0] + value('a')", 5.0),
        ("sum(x[0]) / len(x)", 1.5),
        ("x[0] @ x[1]", 11.0),
        ("max(x) if sum(x) > 9 else 0", 4.0),
        ("x[0, 1:][0]", 2.0),
        ("norm([3, 4])", 5.0),
    ],
)
def test_numbers(text: str, found: float) -> None:
    assert number(text, NAMES) == found


def test_softmax_is_positive_and_sums_to_1() -> None:
    p = evaluate("softmax([[1, 2, 3], [1000, 1000, 1001]])", {})
    assert (p > 0).all() and np.allclose(p.sum(-1), 1) and np.allclose(p[0] / p[0, 0], np.exp([0, 1, 2]))


def test_precision_recall_and_f1_are_those_of_sklearn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    predicted, true = np.array([1, 1, 0, 0, 1, 0]), np.array([1, 0, 0, 1, 1, 1])
    names = {"predicted": predicted, "true_ones": true}
    for name, measure in (("precision", metrics.precision_score), ("recall", metrics.recall_score), ("f1", metrics.f1_score)):
        assert number(f"{name}(predicted > 0, true_ones)", names) == pytest.approx(measure(true, predicted))
    for beta in (0.5, 2):
        assert number(f"fbeta(predicted > 0, true_ones, {beta})", names) == pytest.approx(metrics.fbeta_score(true, predicted, beta=beta))


def test_conditions() -> None:
    assert truth("1 < 2 <= 2 and not x[0, 0] > 1", NAMES) and truth("x > 0", NAMES) and not truth("x > 1", NAMES)
    assert truth("'a' == 'a' or 1 / 0", {})


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "x.__class__",
        "(lambda: 1)()",
        "[y for y in x]",
        "x := 1",
        "unknown",
        "value('b', key=1)",
        "f'{x}'",
        "9 ** 99 ** 9",
        "open('/etc/passwd')",
        "1 +",
        "(" * 200,
        "x" * 600,
        "value",
    ],
)
def test_all_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"\."):
        number(text, NAMES)


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_is_refused(text: str) -> None:
    try:
        number(text, NAMES)
    except ExpressionError:
        pass
    else:
        assert evaluate(text, NAMES) is not None


def test_texts_are_filled_with_what_is_known() -> None:
    facts = Facts(open_document("example:moons"))
    text = "{= 1/3 } {= setting('clip_norm') } {= loss } {= 2 :: .2f} {= setting('optimizer') }"
    assert filled(text, facts) == "0.3333 – – 2.00 adam"
    assert filled(text, None) == "… … … … …"
