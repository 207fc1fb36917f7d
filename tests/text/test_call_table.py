"""How the calls of an iteration are written."""

from __future__ import annotations

from nnviz.records.call_list import CallList, ListedCall
from nnviz.text.call_table import call_table

CALLS = (
    ListedCall(1, "forward", "h1", "dense 1", "addmm(h1_bias, x, h1_weight_t, out=h1)"),
    ListedCall(2, "backward", "h1", "dense 1", "mm(loss_1_t, x, out=h1_weight_grad)"),
    ListedCall(None, "update", "", "trained layers", "rate_2 = rates[1]"),
    ListedCall(3, "update", "", "trained layers", "add_(parameters_2, gradients_2, alpha=-rate_2)"),
)


def test_a_heading_the_names_that_occur_and_a_line_for_each_call_under_its_phase():
    heading, blank, *lines = call_table(CallList("Two moons", 32, "x", CALLS)).splitlines()
    assert heading == "The 3 calls that one iteration of Two moons really is, 32 rows at a time" and not blank
    names = [line.split("  ")[0] for line in lines[: lines.index("")]]
    assert names == ["x", "parameters", "gradients", "rate", "…_grad", "…_t", "…_1, …_2", "out=…"]
    assert lines[lines.index("forward") :] == [
        "forward",
        "  1  dense 1         addmm(h1_bias, x, h1_weight_t, out=h1)",
        "",
        "backward",
        "  2  dense 1         mm(loss_1_t, x, out=h1_weight_grad)",
        "",
        "update",
        "     trained layers  rate_2 = rates[1]",
        "  3  trained layers  add_(parameters_2, gradients_2, alpha=-rate_2)",
    ]


def test_lines_that_are_no_calls_are_explained_only_where_there_are_some():
    assert "Lines without a number" in call_table(CallList("", 1, "x", CALLS))
    assert "Lines without a number" not in call_table(CallList("", 1, "x", CALLS[:2]))
    assert call_table(CallList("", 1, "x", CALLS)).startswith("The 3 calls that one iteration really is, 1 row at a time\n")


def test_without_a_list_there_is_the_reason_alone():
    assert call_table(CallList("Two moons", 32, "x", reason="It cannot be.")) == "It cannot be."
