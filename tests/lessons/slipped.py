"""Small nets in torch whose backward pass can be spoilt at one place, by autograd itself: the oracle for slips of backpropagation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPES = {torch.tanh: lambda z: 1 - torch.tanh(z) ** 2, torch.sigmoid: lambda z: torch.sigmoid(z) * (1 - torch.sigmoid(z))}


@dataclass
class Spoilt:
    """What is done otherwise, by the name of the place; nothing: the net as it is."""

    passes: set[str] = field(default_factory=set)
    """Functions that hand their gradient on as it is."""
    slopes: dict[str, Callable[[Tensor, Tensor], Tensor]] = field(default_factory=dict)
    """By function another slope, of x, which its inner function was given, and of z, what it was given itself."""
    other_weights: dict[str, Tensor] = field(default_factory=dict)
    """By linear layer the weight that its backward pass goes through."""
    cut: set[tuple[str, int]] = field(default_factory=set)
    """Uses (name of a value, which of its uses) along which nothing comes back."""
    turned: set[str] = field(default_factory=set)
    """Functions whose value gets its gradient with the sign turned."""

    def apply(self, name: str, f: Callable[[Tensor], Tensor], z: Tensor, x: Tensor | None = None) -> Tensor:
        if name in self.passes:
            made = _with_slope(f, z, torch.ones_like(z))
        elif name in self.slopes:
            made = _with_slope(f, z, self.slopes[name](x, z).detach())
        else:
            made = f(z)
        if name in self.turned:
            made.register_hook(lambda g: -g)
        return made

    def linear(self, name: str, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if name not in self.other_weights:
            return F.linear(x, weight, bias)
        there = F.linear(x, self.other_weights[name].detach())
        return F.linear(x.detach(), weight, bias) + there - there.detach()

    def use(self, name: str, k: int, value: Tensor) -> Tensor:
        return value.detach() if (name, k) in self.cut else value


def _with_slope(f: Callable[[Tensor], Tensor], z: Tensor, slope: Tensor) -> Tensor:
    value = f(z).detach()
    line = z * slope
    return value + line - line.detach()


class Net(nn.Module):
    """`order` are its parameters in backward order; `functions` and `layers` the places that can be spoilt, the last one first."""

    loss = staticmethod(F.mse_loss)
    order: tuple[str, ...]
    functions: tuple[str, ...]
    layers: tuple[str, ...]
    shared: str = ""

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x, Spoilt())

    def line(self, name: str, x: Tensor, how: Spoilt) -> Tensor:
        layer = getattr(self, name)
        return how.linear(name, x, layer.weight, layer.bias)


class Worked(Net):
    """2-2-1 with a sigmoid, one row."""

    order, functions, layers = ("l2.weight", "l2.bias", "l1.weight", "l1.bias"), ("f1",), ("l2",)
    rows, width = 1, 2

    def __init__(self) -> None:
        super().__init__()
        self.l1, self.l2 = nn.Linear(2, 2), nn.Linear(2, 1)

    def run(self, x: Tensor, how: Spoilt) -> Tensor:
        z = self.line("l1", x, how)
        return self.line("l2", how.apply("f1", torch.sigmoid, z, x), how)


class Deep(Net):
    """Three layers with tanh, several rows."""

    order = ("l3.weight", "l3.bias", "l2.weight", "l2.bias", "l1.weight", "l1.bias")
    functions, layers, rows, width = ("f2", "f1"), ("l3", "l2"), 5, 3

    def __init__(self) -> None:
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 2)

    def run(self, x: Tensor, how: Spoilt) -> Tensor:
        a = how.apply("f1", torch.tanh, self.line("l1", x, how), x)
        return self.line("l3", how.apply("f2", torch.tanh, self.line("l2", a, how), a), how)


class Residual(Net):
    """A block with a way around it, whose value is used twice."""

    order = ("l3.weight", "l3.bias", "l2.weight", "l2.bias", "l1.weight", "l1.bias")
    functions, layers, rows, width, shared = ("f2", "f1"), ("l3", "l2"), 4, 3, "a"

    def __init__(self) -> None:
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 3)

    def run(self, x: Tensor, how: Spoilt) -> Tensor:
        a = how.apply("f1", torch.tanh, self.line("l1", x, how))
        inner = how.use("a", 1, a)
        r = how.use("a", 0, a) + how.apply("f2", torch.tanh, self.line("l2", inner, how), inner)
        return self.line("l3", r, how)


class Recurrent(Net):
    """The same cell three times; its last state is read out."""

    order = ("out.weight", "out.bias", "u.weight", "w.weight", "w.bias")
    functions, layers, rows, width, shared = ("f3", "f2", "f1"), ("out",), 4, 6, "h1"

    def __init__(self) -> None:
        super().__init__()
        self.w, self.u, self.out = nn.Linear(2, 3), nn.Linear(3, 3, bias=False), nn.Linear(3, 2)

    def run(self, x: Tensor, how: Spoilt) -> Tensor:
        h = how.apply("f1", torch.tanh, self.line("w", x[:, 0:2], how))
        first = how.use("h1", 0, h)
        h = how.apply("f2", torch.tanh, self.line("w", x[:, 2:4], how) + self.line("u", how.use("h1", 1, h), how))
        h = how.apply("f3", torch.tanh, self.line("w", x[:, 4:6], how) + self.line("u", h, how))
        return self.line("out", h + first, how)


class Convolution(Net):
    """A kernel over an image, a sigmoid, a dense layer."""

    order, functions, layers, rows, width = ("l2.weight", "l2.bias", "conv.weight", "conv.bias"), ("f1",), ("l2",), 3, 16

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.l2 = nn.Conv2d(1, 2, 3, padding=1, stride=2), nn.Linear(8, 2)

    def run(self, x: Tensor, how: Spoilt) -> Tensor:
        z = F.conv2d(x.view(-1, 1, 4, 4), self.conv.weight, self.conv.bias, 2, 1)
        return self.line("l2", how.apply("f1", torch.sigmoid, z).flatten(1), how)


NETS = (Worked, Deep, Residual, Recurrent, Convolution)


@dataclass
class Case:
    """A net with numbers; `gradients` gives those of its parameters, as they are or spoilt."""

    net: Net
    x: Tensor
    y: Tensor

    def gradients(self, how: Spoilt | None = None, loss: Callable[[Tensor, Tensor], Tensor] | None = None) -> dict[str, Tensor]:
        out = self.net.run(self.x, how or Spoilt())
        loss = (loss or self.net.loss)(out, self.y)
        found = torch.autograd.grad(loss, list(self.net.parameters()), allow_unused=True)
        zeros = [torch.zeros_like(p) for p in self.net.parameters()]
        made = dict(
            zip(dict(self.net.named_parameters()), (g if g is not None else z for g, z in zip(found, zeros, strict=True)), strict=True)
        )
        return {name: made[name].clone() for name in self.net.order}

    def optimizer(self, rate: float = 0.5) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.net.parameters(), rate)

    def after(self, layer: str, rate: float = 0.5) -> Tensor:
        weight = getattr(self.net, layer).weight
        return weight - rate * self.gradients()[f"{layer}.weight"]

    def first_changed(self, mine: dict[str, Tensor]) -> str:
        """The first parameter in backward order whose gradient is another one."""
        true = self.gradients()
        return next(
            name for name in self.net.order if mine[name].shape != true[name].shape or not torch.allclose(mine[name], true[name], 1e-3)
        )


def case(kind: type[Net], seed: int, dtype: torch.dtype = torch.float64) -> Case:
    torch.manual_seed(seed)
    net = kind().to(dtype)
    x = torch.randn(kind.rows, kind.width, dtype=dtype)
    return Case(net, x, torch.randn(net(x).shape, dtype=dtype) * 2)
