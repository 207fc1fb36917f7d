"""What one iteration of a module shows of what keeps it from learning."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import nnviz
from nnviz.records.finding import Finding
from tests.trace import zoo

ROWS = 32


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(3)


def found(
    module: nn.Module, loss=F.cross_entropy, classes: int = 3, x: torch.Tensor | None = None, rate: float = 0.05, **more
) -> tuple[Finding, ...]:
    x = torch.randn(ROWS, 4) if x is None else x
    target = torch.arange(len(x)) % classes if classes else torch.randn(len(x), 1)
    optimizer = torch.optim.SGD(module.parameters(), lr=rate) if rate else None
    return nnviz.capture(module, x, loss=loss, target=target, optimizer=optimizer, **more).findings


def kinds(findings: tuple[Finding, ...]) -> list[str]:
    return [one.kind for one in findings if not one.is_information]


def plain(*last: nn.Module, hidden: type[nn.Module] = nn.Tanh) -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), hidden(), nn.Linear(8, 3), *last)


@pytest.mark.parametrize("detail", ["layer", "textbook", "math"])
def test_a_sound_module_has_none(detail: str) -> None:
    assert kinds(found(plain(), detail=detail)) == []


@pytest.mark.parametrize("detail", ["layer", "textbook", "math"])
def test_softmax_before_cross_entropy(detail: str) -> None:
    (one,) = found(plain(nn.Softmax(-1)), detail=detail)
    assert (one.kind, one.place) == ("output_range", "3") and "softmax in 3 stands before" in one.cause


def test_sigmoid_before_the_loss_with_logits_and_probabilities_before_nll() -> None:
    net = nn.Sequential(nn.Linear(4, 1), nn.Sigmoid(), nn.Flatten())
    findings = found(net, lambda output, target: F.binary_cross_entropy_with_logits(output, (target % 2).float()[:, None]))
    assert kinds(findings) == ["output_range"] and findings[0].place == "1"
    assert kinds(found(plain(nn.Softmax(-1)), F.nll_loss)) == ["output_range"]
    assert kinds(found(plain(nn.LogSoftmax(-1)), F.nll_loss)) == []


def test_twins_are_counted() -> None:
    net = plain()
    with torch.no_grad():
        net[0].weight[3:], net[0].bias[3:], net[2].weight[:, 3:] = net[0].weight[3], net[0].bias[3], net[2].weight[:, 3:4]
    one = next(one for one in found(net) if one.kind == "symmetric_start")
    assert (one.place, one.value) == ("0", 4.0)


def test_equal_weights_with_other_gradients_are_no_twins() -> None:
    net = plain()
    nn.init.constant_(net[0].weight, 0.1)
    assert kinds(found(net)) == []


def test_ten_sigmoid_layers_vanish_and_a_large_start_explodes() -> None:
    layers = [part for _ in range(10) for part in (nn.Linear(4, 4), nn.Sigmoid())]
    findings = found(nn.Sequential(*layers, nn.Linear(4, 3)), rate=1e-3)
    assert "vanishing" in kinds(findings)
    one = next(one for one in findings if one.kind == "vanishing")
    assert one.place == "0" and one.value < one.bound
    deep = nn.Sequential(*(part for _ in range(10) for part in (nn.Linear(4, 4), Sine())), nn.Linear(4, 3))
    for part in deep[::2]:
        nn.init.normal_(part.weight, std=5.0)
    assert "exploding" in kinds(found(deep, rate=0))


def test_the_update_is_judged_where_an_optimizer_is_given() -> None:
    assert kinds(found(plain(), rate=100.0)) == ["rate_too_large"]
    assert kinds(found(plain(), rate=1e-7)) == ["rate_too_small"]
    assert kinds(found(plain(), rate=0)) == []


def test_columns_of_other_sizes() -> None:
    x = torch.randn(ROWS, 4) * torch.tensor([1.0, 1.0, 1000.0, 1.0])
    one = found(plain(), x=x, rate=0)[0]
    assert one.kind == "input_scale" and one.value == pytest.approx(
        (x.double().std(0, correction=0).max() / x.double().std(0, correction=0).min()).item()
    )


def test_dead_units_are_information_about_this_batch() -> None:
    net = plain(hidden=nn.ReLU)
    with torch.no_grad():
        net[0].bias[:2] = -100.0
    one = next(one for one in found(net, rate=0) if one.kind == "dead_relu")
    assert one.is_information and one.value >= 2 / 8 and "on every row of this batch" in one.cause


def test_saturated_units_but_not_a_sure_answer() -> None:
    net = plain()
    with torch.no_grad():
        net[0].weight *= 100
    assert "saturated" in kinds(found(net, rate=0))
    sure = nn.Sequential(nn.Linear(4, 1), nn.Sigmoid())
    with torch.no_grad():
        sure[0].weight *= 100
    assert kinds(found(sure, F.mse_loss, classes=0, rate=0)) == []


class Sine(nn.Module):
    """Its values stay small, and its derivative does not."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sin()


class Root(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return ((x * self.scale).abs() * 0.0).sqrt().sum(1, keepdim=True)


def test_the_first_value_or_gradient_that_is_not_finite_is_the_only_finding() -> None:
    (one,) = found(nn.Sequential(nn.Linear(4, 3), Logarithm()), rate=0)
    assert one.kind == "non_finite" and one.place == "1" and "first value" in one.cause
    (back,) = found(Root(), F.mse_loss, classes=0, rate=0)
    assert back.kind == "non_finite" and "sqrt sends back the first gradient" in back.cause


class Logarithm(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (-x.abs()).log()


@pytest.mark.parametrize("name", zoo.CASES)
def test_every_kind_of_module_can_be_looked_at(name: str) -> None:
    """What is found is said of nodes that exist; nothing of the zoo is so ill that a value is not finite."""
    module, inputs = zoo.make(name)
    trace = nnviz.capture(module, *inputs)
    for one in trace.findings:
        assert one.kind != "non_finite" and 0 <= one.node < len(trace.nodes) and one.cause.endswith(".")
