"""Which element of its window a max pool takes."""

import torch
from torch import nn

from nnviz.engine.observe.trace_records import winners
from nnviz.trace import capture


def won(pool: nn.Module) -> list[torch.Tensor | None]:
    """The winners of every pool in a small net, and None for each of the other operations."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), pool, nn.Flatten(), nn.LazyLinear(3))
    x, y = torch.randn(4, 1, 6, 6), torch.randint(3, (4,))
    net(x)
    trace = capture(net, x, loss=nn.functional.cross_entropy, target=y)
    assert any("max_pool" in node.operation for node in trace.nodes)
    state = torch.get_rng_state()
    found = [winners(node, trace) for node in trace.nodes]
    assert torch.equal(torch.get_rng_state(), state)
    for node, places in zip(trace.nodes, found, strict=True):
        if places is not None:
            x = trace.nodes[node.inputs[0]].value
            assert torch.equal(x.flatten(2).gather(2, places.flatten(2)).view(node.value.shape), node.value)
    return [places for places in found if places is not None]


def test_the_winners_of_a_pool_are_what_it_took():
    assert len(won(nn.MaxPool2d(2))) == 1


def test_windows_that_were_drawn_are_not_drawn_again():
    assert won(nn.FractionalMaxPool2d(2, output_size=3)) == []
