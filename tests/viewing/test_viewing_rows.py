"""`nnviz.show`: the row picker picks the rows of the batch, wherever their axis is."""

import pytest
import torch
from torch import nn

import nnviz
from nnviz.document.store.examples import open_document
from nnviz.engine.observe.batch_axis import batch_axes
from nnviz.engine.observe.capture import capture_next
from nnviz.engine.run.timeline import Timeline
from tests.engine.experiments import HERE

TIME, BATCH, FEATURES = 5, 3, 4


class TimeMajor(nn.Module):
    """A recurrent net as torch makes it by default: (time, batch, features)."""

    def __init__(self, kind=nn.GRU):
        super().__init__()
        self.net, self.head = kind(FEATURES, 2), nn.Linear(2, 1)

    def forward(self, x, state=None):
        return self.head(self.net(x, state)[0][-1])


def rows(window):
    return len(window.trace.stepping.index.trace.rows)


def axes(window):
    return {(node.operation, node.shape): node.batch_axis for node in window.trace.stepping.index.trace.nodes if node.kind != "parameter"}


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM, nn.RNN])
@pytest.mark.parametrize("state", [False, True])
def test_a_time_major_net_has_the_rows_of_its_target(shown, kind, state):
    x, h = torch.randn(TIME, BATCH, FEATURES), torch.randn(1, BATCH, 2)
    given = ((h, h) if kind is nn.LSTM else h) if state else None
    window = shown(TimeMajor(kind), x, *([given] if state else []), loss=nn.functional.mse_loss, target=torch.randn(BATCH, 1))
    nodes = window.trace.stepping.index.trace.nodes
    assert rows(window) == BATCH and nodes[0].batch_axis == 1
    for node in nodes:
        if node.kind == "operation" and BATCH in node.shape:
            assert node.batch_axis is not None and node.shape[node.batch_axis] == BATCH, node
    window.trace.stepping.set_sample(2)
    last = next(node for node in nodes if node.label == "head" or (node.operation == "linear" and node.shape == (BATCH, 1)))
    assert window.trace.stepping.state.row(last.id, last.value).shape == (1,)


def test_the_axis_can_be_said(shown):
    x, target = torch.randn(TIME, BATCH, FEATURES), torch.randn(TIME, BATCH, 2)

    class EveryStep(TimeMajor):
        def forward(self, x):
            return self.net(x)[0]

    assert rows(shown(EveryStep(), x, loss=nn.functional.mse_loss, target=target)) == TIME
    assert rows(shown(EveryStep(), x, loss=nn.functional.mse_loss, target=target, batch_axis=1)) == BATCH
    trace = nnviz.capture(EveryStep(), x, loss=nn.functional.mse_loss, target=target)
    assert rows(shown(trace, batch_axis=1)) == BATCH
    told = nnviz.capture(EveryStep(), x, loss=nn.functional.mse_loss, target=target, batch_axis=1)
    assert told.batch_axis == 1 and rows(shown(told)) == BATCH and rows(shown(told, batch_axis=0)) == TIME


@pytest.mark.parametrize("axis", [7, -1, "1"])
def test_capture_refuses_an_axis_that_is_not_there(axis):
    with pytest.raises(nnviz.trace.TraceError, match=r"batch_axis=.*, but the first input has the shape \(2, 3\): give the place"):
        nnviz.capture(nn.Linear(3, 1), torch.ones(2, 3), loss=lambda y, _: y.sum(), batch_axis=axis)


def test_an_axis_that_is_not_there_is_refused(qapp):
    with pytest.raises(ValueError, match=r"batch_axis=7, but the first input has the shape \(2, 3\)"):
        nnviz.show(nn.Linear(3, 1), torch.ones(2, 3), loss=lambda y, _: y.sum(), block=False, batch_axis=7)


@pytest.mark.parametrize(("x", "target", "count"), [((4, 3), (4, 1), 4), ((3, 3), (3, 1), 3), ((6, 3), None, 6)])
def test_batch_first_stays_batch_first(shown, x, target, count):
    loss = nn.functional.mse_loss if target else lambda y, _: y.sum()
    assert rows(shown(nn.Linear(3, 1), torch.randn(x), loss=loss, target=torch.randn(target) if target else None)) == count


@pytest.mark.parametrize("detail", ["layer", "textbook"])
def test_what_comes_from_the_first_state_has_rows_too(detail):
    """In the window of a document: W h₀ and what is made of it shows the chosen row, and no weights' worth of constants does."""
    captured = capture_next(Timeline(open_document("template:lstm"), HERE).trainer, detail)
    found, batch = batch_axes(captured.trace, len(captured.rows)), len(captured.rows)
    made = [node for node in captured.trace.nodes if node.kind in ("operation", "constant") and len(node.shape) > 1 and batch in node.shape]
    assert made and all(node.id in found for node in made)
    assert not any(len(node.shape) == 1 for node in captured.trace.nodes if node.kind == "constant" and node.id in found)
