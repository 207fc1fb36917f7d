"""The curve that a batch's numbers lie on is that of the activation as it was called."""

import numpy as np
import pytest
import torch
from torch import nn

from nnviz.operations.table import OPERATIONS, recorded, row_of
from nnviz.records.trace_state import TraceState
from nnviz.ui.step._batch_pictures import CurvePicture
from nnviz.viewing.viewing import TracedModule

MODULES = (
    nn.ReLU(), nn.LeakyReLU(), nn.LeakyReLU(0.2), nn.ELU(), nn.ELU(2.0), nn.SELU(), nn.CELU(0.5), nn.GELU(), nn.GELU("tanh"), nn.SiLU(),
    nn.Softplus(), nn.Softplus(3.0), nn.Sigmoid(), nn.Tanh(), nn.LogSigmoid(), nn.ReLU6(), nn.Hardtanh(), nn.Hardtanh(-0.5, 2.0),
    nn.Hardsigmoid(), nn.Hardswish(), nn.Mish(), nn.Softsign(),
)  # fmt: skip


def called(module):
    """The recorded call of an activation, and its moment."""
    x = torch.linspace(-4, 4, 16, dtype=torch.float64).reshape(8, 2).requires_grad_()
    index = TracedModule(module, (x,), {"loss": lambda output, target: output.sum()}).take("layer").index
    state = TraceState(index, index.length, 0)
    node = next(node for node in index.trace.nodes if row_of(node.operation).has_curve)
    return recorded(state, node), index


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_curve_is_torchs(module):
    call, _ = called(module)
    z = np.linspace(-7.3, 7.9, 81)
    assert np.abs(row_of(call.node.operation).curve(call, z) - module(torch.from_numpy(z)).numpy()).max() <= 1e-12


def test_every_activation_is_held_against_torch():
    assert {called(module)[0].node.operation for module in MODULES} == {name for name, row in OPERATIONS.items() if row.has_curve}


def test_the_batch_lies_on_the_curve(qtbot):
    picture = CurvePicture()
    qtbot.addWidget(picture)
    call, index = called(nn.LeakyReLU(0.2))
    z, a = (index.array(index.node(node).value) for node in (call.node.inputs[0], call.node.id))
    picture.set_batch(call, z, a)
    dots, line = picture._dots, picture._curve
    assert len(dots) and np.abs(np.interp(dots[:, 0], *line.T) - dots[:, 1]).max() <= 0.05
