"""`nnviz.show` with every type of number torch has: nothing crashes, and every number is shown whole."""

import numpy as np
import pytest
import torch
from torch import nn

import nnviz
from nnviz.engine.observe.measures import array_of, measure
from nnviz.records.tensors import to_numpy
from nnviz.ui.step import chain
from nnviz.ui.widgets.lines import Lines


class Cast(nn.Module):
    """Computes in another precision."""

    def __init__(self, dtype):
        super().__init__()
        self.linear, self.dtype = nn.Linear(3, 2), dtype

    def forward(self, x):
        return self.linear(x).to(self.dtype).float().pow(2).mean()


class Spectrum(nn.Module):
    def __init__(self, size=3):
        super().__init__()
        self.w = nn.Parameter(torch.complex(torch.randn(size), torch.randn(size)))

    def forward(self, x):
        return torch.fft.irfft(torch.tanh(torch.fft.rfft(x) * self.w)).pow(2).mean()


class Product(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Parameter(torch.tensor([1 + 2j])), nn.Parameter(torch.tensor([3 + 4j]))

    def forward(self):
        return (self.a * self.b).real.sum()


class Kinds(nn.Module):
    """Bools, integers, halves, quantised numbers on the way."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x, keys):
        y = self.linear(x)
        kept = torch.where(y > 0, y, y.half().float())
        rounded = torch.fake_quantize_per_tensor_affine(kept, 0.1, 0, 0, 255)
        return rounded.mean() + nn.functional.one_hot(keys, 4).float().mean() * y.sum()


@pytest.fixture
def walked(qtbot):
    """Show a module, look at every node at every place of the cursor, hover it, and return the window."""

    def walk(module, *inputs, **how):
        window = nnviz.show(module, *inputs, block=False, **how)
        qtbot.addWidget(window)
        window.graph.view.set_animated(False)
        stepping, scene = window.trace.stepping, window.graph.view.trace_scene
        for place in range(stepping.length + 1):
            stepping.to(place)
            window.grab()
        for node in stepping.index.trace.nodes:
            stepping.select(node.id)
            window.grab()
        for coloring in ("gradient", "contribution", "update", "value"):
            window.graph.view.set_coloring(coloring)
            window.grab()
        assert all(scene.tooltip(card) for card in scene.cards.values())
        stepping.set_sample(None)
        window.grab()
        return window

    return walk


def node(window, operation):
    return next(node for node in window.trace.stepping.index.trace.nodes if node.operation == operation)


def card_labels(scene):
    return {card.card.shown: card.state.value.label for card in scene.cards.values()}


def said(window, one):
    return chain.figures(window.trace.stepping.state, one.id, one.value)


LOW = [torch.bfloat16, torch.half, torch.float8_e4m3fn, torch.float8_e5m2]


@pytest.mark.parametrize("dtype", LOW)
@pytest.mark.parametrize("columns", [3, 5000])
def test_small_floats_are_the_numbers_they_stand_for(dtype, columns):
    tensor = torch.randn(2, columns).to(dtype)
    assert np.array_equal(to_numpy(array_of(tensor)), tensor.float().numpy())
    assert measure(tensor) == measure(tensor.float())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.half])
def test_a_module_in_half_precision_is_stepped(walked, dtype):
    module = nn.Sequential(nn.Linear(3, 40), nn.Sigmoid(), nn.Linear(40, 150)).to(dtype)
    window = walked(module, torch.randn(40, 3).to(dtype), loss=lambda y, _: y.float().pow(2).mean())
    shown = next(one for one in window.trace.stepping.index.trace.nodes if one.label == "0.weight")
    assert np.array_equal(window.trace.stepping.index.array(shown.value), module[0].weight.detach().float().numpy())
    assert node(window, "linear").value is not None and window.badge.text()


def test_autocast_is_stepped(walked):
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    with torch.autocast("cpu", torch.bfloat16):
        window = walked(module, torch.randn(5, 3), loss=lambda y, _: y.float().pow(2).mean())
        assert window.trace.stepping.index.trace.nodes


@pytest.mark.parametrize("dtype", [*LOW, torch.complex64, torch.float64])
def test_a_cast_on_the_way_is_shown(walked, dtype):
    class Net(Cast):
        def forward(self, x):
            y = self.linear(x).to(self.dtype)
            return (y.real if dtype.is_complex else y.float()).pow(2).mean()

    walked(Net(dtype), torch.randn(4, 3))


def test_bools_integers_and_quantised_numbers_are_shown(walked):
    walked(Kinds(), torch.randn(4, 3), torch.tensor([0, 1, 2, 3]))


def nested(**how):
    return torch.nested.nested_tensor([torch.ones(2), torch.ones(1)], **how)


@pytest.mark.filterwarnings("ignore")  # torch's own, of what is in beta state
@pytest.mark.parametrize(
    ("made", "numbers"),
    [
        (lambda: torch.eye(2).to_sparse(), np.eye(2)),
        (lambda: torch.eye(2).to_sparse_csr(), np.eye(2)),
        (lambda: torch.quantize_per_tensor(torch.tensor([0.5, 1.0]), 0.5, 0, torch.qint8), [0.5, 1.0]),
        (lambda: torch.tensor([1 + 2j]).conj(), [1 - 2j]),
        (lambda: torch.tensor([1 + 2j]).conj().imag, [-2.0]),
        (lambda: torch.tensor([1 + 2j], dtype=torch.complex32), [1 + 2j]),
        (nested, [[1, 1], [1, 0]]),
        (lambda: nested(layout=torch.jagged), [[1, 1], [1, 0]]),
    ],
)
def test_whatever_holds_the_numbers_they_travel(made, numbers):
    assert np.array_equal(to_numpy(array_of(made())), np.array(numbers))


def test_complex_numbers_are_shown_whole_everywhere(walked):
    torch.manual_seed(0)
    module, x = Spectrum(), torch.randn(4, 4)
    window = walked(module, x, optimizer=None)
    fft, true = node(window, "fft_rfft"), torch.fft.rfft(x)
    window.trace.stepping.set_sample(2)
    window.trace.stepping.to_end()
    window.trace.stepping.select(fft.id)
    assert np.allclose(window.trace.stepping.state.row(fft.id, fft.value), true[2].numpy())
    imaginary = true[2, 1].imag.item()
    assert f"{abs(imaginary):.2f}j" in said(window, fft) and said(window, fft).count("j") == 3
    assert said(window, node(window, "tanh")).count("j") == 3
    scene = window.graph.view.trace_scene
    tips = {card.card.shown: scene.tooltip(card) for card in scene.cards.values()}
    assert tips[fft.id].count("j") == 3 and tips[node(window, "tanh").id].count("j") == 6, "value and gradient"
    assert card_labels(scene)[fft.id].endswith("ℂ")


def test_a_product_of_complex_numbers_and_its_gradients_have_both_parts(walked):
    window = walked(Product())
    product, a = node(window, "mul"), window.trace.stepping.index.trace.nodes[0]
    window.trace.stepping.to_end()
    assert said(window, product) == "−5+10j"
    assert chain.figures(window.trace.stepping.state, a.id, a.gradient) == "3−4j"


def test_a_complex_gradient_is_checked_in_both_parts(walked, qtbot):
    window = walked(Product())
    checks = []
    window.trace.gradient_checked.connect(checks.append)
    window.trace.check_gradient(window.trace.stepping.index.trace.nodes[0].id, (0,))
    qtbot.waitUntil(lambda: bool(checks), timeout=5_000)
    assert checks[0].analytic == 3 - 4j and checks[0].numeric == pytest.approx(3 - 4j, rel=1e-2)
    window.step.chain_rule.set_check(checks[0])


def test_large_complex_tensors_are_measured_by_their_parts(walked):
    torch.manual_seed(0)
    tensor = torch.complex(torch.randn(5000), torch.randn(5000))
    found = measure(tensor)
    assert found.norm == pytest.approx(tensor.abs().square().sum().sqrt().item(), rel=1e-5)
    assert found.count == 10_000 and found.min == pytest.approx(min(tensor.real.min(), tensor.imag.min()).item())
    walked(Spectrum(129), torch.randn(80, 256))


def test_a_complex_weight_is_updated_in_both_parts(walked):
    product = Product()
    window = walked(product, optimizer=torch.optim.SGD(product.parameters(), 1.0), loss=lambda output, target: output)
    stepping = window.trace.stepping
    stepping.to(stepping.length)
    stepping.select(node(window, "parameter").id)
    said = [line.text for part in window.step.chain_rule.findChildren(Lines) for line in part.lines()]
    assert "1+2j + (−3+4j) = −2+6j" in said
    assert window.step.microscope.choice == "a[0]"
