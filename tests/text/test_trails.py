"""The way to a node: layers by their titles, time steps and gates in words, numbered modules with what they count."""

import pytest

from nnviz.records.trace_record import NodeRecord
from nnviz.text.trails import source, trail


def _node(*group: str, where: str = "") -> NodeRecord:
    return NodeRecord(0, "operation", "softmax", "softmax", ".".join(group), group, (), (), "forward", where=where)


@pytest.mark.parametrize(
    ("group", "root", "way"),
    [
        (("r", "t=2", "forget gate"), "", "memory › t = 2 › forget gate › z_f"),
        (("h", "0", "attn", "softmax"), "model", "model › h.0 › attn › softmax › z_f"),
        (("h", "1"), "model", "model › h.1 › z_f"),
        (("e", "self_attn", "out_proj"), "", "e › self-attention › output projection › z_f"),
        (("r#2",), "", "r, call 2 › z_f"),
        ((), "", "z_f"),
    ],
)
def test_the_way_to_a_node(group, root, way):
    assert " › ".join(crumb.text for crumb in trail(_node(*group), "z_f", {"r": "memory"}, root)) == way


def test_a_group_that_is_called_as_its_node_is_said_once():
    assert [crumb.text for crumb in trail(_node("e", "self_attn", "softmax"), "softmax", {})] == ["e", "self-attention", "softmax"]
    assert [crumb.text for crumb in trail(_node("softmax"), "softmax", {})] == ["softmax", "softmax"], "the layer stays a click"


def test_every_part_leads_to_its_groups():
    crumbs = trail(_node("h", "0", "attn"), "softmax", {}, "model")
    assert [crumb.depth for crumb in crumbs] == [0, 2, 3, None]


def test_of_a_group_the_way_ends_there():
    assert [crumb.text for crumb in trail(_node("r", "t=2", "cell"), "c_t", {}, depth=2)] == ["r", "t = 2"]


def test_the_line_of_code_is_short():
    assert source(_node(where="/home/me/zoo.py:66")) == "zoo.py:66" and source(_node()) == ""
