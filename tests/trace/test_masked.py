"""−∞ that a softmax makes 0 is no fault; any other, and any that spoils something, is one."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nnviz.engine.observe.capture import Captured
from nnviz.engine.observe.trace_records import to_record
from nnviz.records.breakpoint_places import first_non_finite
from nnviz.records.trace_index import TraceIndex
from nnviz.trace import capture, masked_scores
from tests.trace.zoo import Model

CAUSAL = torch.ones(3, 3, dtype=torch.bool).tril()
ADDED = torch.zeros(3, 3).masked_fill(~CAUSAL, -math.inf)


def traced(forward, *inputs, detail="layer", **parts):
    torch.manual_seed(0)
    trace = capture(Model(forward, **({"a": nn.Linear(3, 3)} | parts)), *(inputs or (torch.randn(3, 3),)), detail=detail)
    index = TraceIndex(to_record(Captured(trace, torch.arange(3), 0, 0, "float32", "x")))
    held = {node.id for node in trace.nodes if any(value.is_floating_point() and value.isneginf().any() for value in node.values)}
    return trace, index, held


def alarms(index) -> list[int]:
    return [node.id for node in index.trace.nodes if node.marks and node.marks.non_finite]


MASKS = {
    "masked_fill": lambda m, x: m.a(x).masked_fill(~CAUSAL, -math.inf).softmax(-1).square().mean(),
    "added": lambda m, x: (m.a(x) + ADDED).softmax(-1).square().mean(),
    "scaled behind the mask": lambda m, x: ((m.a(x) + ADDED) / 2).reshape(9).view(3, 3).softmax(-1).square().mean(),
    "written": lambda m, x: F.softmax(torch.where(CAUSAL, m.a(x), torch.tensor(-math.inf)), -1).square().mean(),
    "attention": lambda m, x: F.scaled_dot_product_attention(m.a(x)[None], x[None], x[None], ADDED).square().mean(),
    "classes left out": lambda m, x: F.cross_entropy(m.a(x).masked_fill(~CAUSAL, -math.inf), torch.tensor([0, 1, 2])),
    "logsumexp": lambda m, x: m.a(x).masked_fill(~CAUSAL, -math.inf).logsumexp(-1).mean(),
    "module": lambda m, x: m.b(m.a(x)[None], x[None], x[None], attn_mask=ADDED)[0].square().mean(),
}


@pytest.mark.parametrize("detail", ["layer", "textbook", "math"])
@pytest.mark.parametrize("name", MASKS)
def test_a_mask_is_no_alarm(name, detail):
    trace, index, held = traced(MASKS[name], detail=detail, b=nn.MultiheadAttention(3, 1, batch_first=True))
    assert held and masked_scores(trace.nodes) == held
    assert alarms(index) == [] and first_non_finite(index) is None


SPOILED = {
    "no place is left": lambda m, x: m.a(x).masked_fill(~CAUSAL.roll(1, 1) & False | True, -math.inf).softmax(-1).nan_to_num().sum(),
    "a logarithm of 0": lambda m, x: (m.a(x) * 0).log().clamp(min=-5).sum(),
    "plus infinity": lambda m, x: m.a(x).masked_fill(~CAUSAL, math.inf).neg().softmax(-1).square().mean(),
    "also used otherwise": lambda m, x: (lambda z: z.softmax(-1).square().mean() + (z * 0).nan_to_num().sum())(
        m.a(x).masked_fill(~CAUSAL, -math.inf)
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_any_other_is(name):
    trace, index, _ = traced(SPOILED[name])
    first = min(node.id for node in trace.nodes if any(v.is_floating_point() and not v.isfinite().all() for v in node.values))
    assert first in alarms(index) and first_non_finite(index).node == first


@pytest.mark.parametrize("detail", ["layer", "textbook", "math"])
def test_what_is_spoiled_behind_a_mask_is_not_blamed_on_it(detail):
    """Its NaN come back as gradients to the masked scores, too."""
    trace, *_ = traced(lambda m, x: ((m.a(x) + ADDED).softmax(-1) - 2).log().sum(), detail=detail)
    (found,) = trace.findings
    assert trace.nodes[found.node].operation == "log" and found.kind == "non_finite"


@pytest.mark.parametrize("detail", ["layer", "textbook", "math"])
def test_of_a_mask_the_row_is_named_that_hides_all_of_a_softmax(detail):
    mask = ADDED.clone()
    mask[1] = -math.inf
    trace, *_ = traced(lambda m, x, mask: ((m.a(x) + mask) / 2).softmax(-1).square().mean(), torch.randn(3, 3), mask, detail=detail)
    (found,) = trace.findings
    assert found.evidence.startswith("5 of 9 values, of which that at (1, 0) makes ") and found.evidence.endswith(" NaN")
