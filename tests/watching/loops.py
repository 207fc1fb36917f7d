"""Training loops as a person writes them, watched or not."""

import hashlib
from contextlib import nullcontext

import torch
from torch import nn

import nnviz

ROWS = 16


def batches(count, seed=1):
    numbers = torch.Generator().manual_seed(seed)
    return [(torch.randn(ROWS, 3, generator=numbers), torch.randint(2, (ROWS,), generator=numbers)) for _ in range(count)]


def trained(count=300, **how):
    """Dropout, batch norm, momentum, a schedule, random numbers of the loop's own: digest, losses, model, and the watch if `how` asks."""
    torch.set_num_threads(1)  # sums of several threads round differently
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))
    optimizer, loss, losses = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9), nn.CrossEntropyLoss(), []
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 50, 0.5)
    with nnviz.watch(net, optimizer, loss=loss, **how) if how else nullcontext() as watched:
        for x, y in batches(count):
            optimizer.zero_grad()
            value = loss(net(x + 0.1 * torch.randn(x.shape)), y)
            value.backward()
            optimizer.step()
            schedule.step()
            losses.append(value.item())
    return digest(net, optimizer), losses, net, watched


def digest(net, optimizer):
    """Of all that training changes, the generator too."""
    kept = [*net.state_dict().values(), *(value for state in optimizer.state.values() for value in state.values())]
    kept += [torch.get_rng_state(), *(parameter.grad for parameter in net.parameters())]
    return hashlib.sha256(b"".join(torch.as_tensor(tensor).detach().numpy().tobytes() for tensor in kept)).hexdigest()


class Call(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def watched(net, iterate, count=1, loss=None, optimizer=None, **how):
    """Run `iterate(k, net, optimizer, watch)` so often and return the watch; every halt is continued unless `on_break` says otherwise."""
    optimizer = optimizer or torch.optim.SGD(net.parameters(), 0.01)
    with nnviz.watch(net, optimizer, loss=loss, **{"on_break": lambda halt: None, **how}) as watch:
        for k in range(count):
            torch.manual_seed(k)
            iterate(k, net, optimizer, watch)
    return watch
