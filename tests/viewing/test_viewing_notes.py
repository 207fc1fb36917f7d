"""`nnviz.show` says what is easily overlooked: nothing is trained, nothing is updated, the graph is of this batch only."""

import pytest
import torch
from torch import nn

import nnviz


class Reads(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x):
        return self.linear(x).sum() if x.sum() > 0 else self.linear(-x).sum()


class Detached(Reads):
    def forward(self, x):
        return self.linear(x).detach().sum()


class Plain(Reads):
    def forward(self, x):
        return self.linear(x).sum()


def frozen():
    return Plain().requires_grad_(False)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (Reads(), "The graph is true for this batch only: the code reads a value at test_viewing_notes.py:"),
        (Detached(), "No gradient reaches any parameter"),
        (frozen(), "No parameter requires a gradient"),
        (Plain(), ""),
    ],
)
def test_what_is_easily_overlooked_is_said(qtbot, module, words):
    window = nnviz.show(module, torch.ones(4, 3), block=False)
    qtbot.addWidget(window)
    assert window.quiet.text.startswith(words) and bool(words) == bool(window.quiet.text)
    if "reads" in words:
        assert __file__ in window.quiet.toolTip()


@pytest.mark.parametrize(("own", "words"), [(False, "The optimizer holds no parameter of this module"), (True, "")])
def test_the_optimizer_of_another_model_is_said(qtbot, own, words):
    module, other = Plain(), Plain()
    optimizer = torch.optim.SGD((module if own else other).parameters(), 0.001)
    window = nnviz.show(module, torch.ones(4, 3), block=False, optimizer=optimizer)
    qtbot.addWidget(window)
    assert window.quiet.text.startswith(words) and bool(words) == bool(window.quiet.text)


def test_the_line_of_a_loss_is_that_which_opened_the_window(qtbot):
    """The module runs in a thread, where nothing of the person's code is on the stack."""
    net = nn.Linear(3, 1)
    window = nnviz.show(net, torch.randn(4, 3), loss=nn.functional.mse_loss, target=torch.zeros(4, 1), block=False)
    qtbot.addWidget(window)
    node = next(node for node in window.trace.stepping.index.trace.nodes if node.operation == "mse_loss")
    assert "test_viewing_notes.py:" in node.where
    with pytest.raises(RuntimeError, match=r"test_viewing_notes\.py:\d+: loss= must be a function"):
        nnviz.show(net, torch.randn(4, 3), loss="mse", block=False)


def test_what_keeps_a_module_from_learning_is_said(qtbot):
    net = nn.Sequential(nn.Linear(3, 2), nn.Softmax(-1))
    window = nnviz.show(net, torch.randn(4, 3), loss=nn.functional.cross_entropy, target=torch.zeros(4, dtype=torch.long), block=False)
    qtbot.addWidget(window)
    assert window.quiet.text.startswith("softmax in 1 stands before cross_entropy")
