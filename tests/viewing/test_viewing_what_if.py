"""What-ifs in `nnviz.show`: numbers equal to the module's own with the value put in by hand, and a module that stays as it was."""

import copy
import random

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from torch import nn

import nnviz
from nnviz.records.trace_record import WhatIf
from nnviz.trace import ValueChange
from nnviz.viewing.viewing import TracedModule


class Net(nn.Module):
    """Everything that could differ from one run to the next: dropout, statistics, attributes, Python's random numbers."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.act = nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Tanh()
        self.drop, self.out = nn.Dropout(0.4), nn.Linear(8, 2)
        self.calls, self.seen = 0, []

    def forward(self, x):
        self.calls += 1
        self.seen.append(self.calls)
        x = self.drop(self.act(self.norm(self.conv(x))).flatten(1))
        return self.out(x) * (self.calls + random.random() + np.random.rand())


def made():
    torch.manual_seed(0)
    net = Net().double()
    return net, torch.randn(3, 1, 4, 4, dtype=torch.float64), torch.tensor([0, 1, 0])


def generators():
    return torch.get_rng_state().tolist(), random.getstate(), str(np.random.get_state())


def put_back(state):
    torch.set_rng_state(state[0])
    random.setstate(state[1])
    np.random.set_state(state[2])


@pytest.fixture
def shown(shown):
    def show(*subject, **how):
        window = shown(*subject, **how)
        window.trace.stepping.to_end()
        return window

    return show


def idle(window, qtbot):
    qtbot.waitUntil(lambda: not window.trace.busy, timeout=30_000)


def node(window, name):
    nodes = window.trace.stepping.index.trace.nodes
    return next(one.id for one in nodes if name in (one.label, one.operation))


def suppose(window, qtbot, id, text, place=0):
    """Choose an element and type, as a person does."""
    window.trace.stepping.select(id)
    window.step.chain_rule.choose_element(place)
    row = window.step.chain_rule.what_if
    qtbot.mouseClick(row.buttons["set"], Qt.MouseButton.LeftButton)
    qtbot.keyClicks(row.box, text)
    qtbot.keyClick(row.box, Qt.Key.Key_Return)
    idle(window, qtbot)


def put_in(tensor, place, value):
    """The tensor with one element set by hand, cut off from what would have made it."""
    mask = torch.zeros_like(tensor, dtype=torch.bool)
    mask[place] = True
    return torch.where(mask, torch.full_like(tensor.detach(), value), tensor)


def by_hand(net, x, y, what, place, value):
    """The person's own run with that value put in there."""
    if what == "x":
        x = put_in(x, place, value)
    elif what in dict(net.named_parameters()):
        with torch.no_grad():
            net.get_parameter(what)[place] = value
    else:
        net.get_submodule(what).register_forward_hook(lambda part, given, output: put_in(output, place, value))
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    return loss.item(), {name: weight.grad.numpy() for name, weight in net.named_parameters()}


@pytest.mark.parametrize(
    ("what", "name", "place"),
    [
        ("x", "x", (0, 0, 2, 1)),
        ("conv.weight", "conv.weight", (1, 0, 0, 2)),
        ("out.bias", "out.bias", (1,)),
        ("norm.weight", "norm.weight", (0,)),
        ("act", "tanh", (1, 0, 0, 1)),
        ("conv", "conv2d", (0, 1, 0, 1)),
        ("out", "linear", (0, 1)),
    ],
)
def test_forward_and_backward_are_those_of_the_module_with_the_value_put_in_by_hand(shown, qtbot, what, name, place):
    net, x, y = made()
    twin = copy.deepcopy(net)
    began = torch.get_rng_state(), random.getstate(), np.random.get_state()
    window = shown(net, x, loss=nn.CrossEntropyLoss(), target=y)
    state, rest = copy.deepcopy(net.state_dict()), (net.calls, list(net.seen), x.clone())
    kept = [(weight, weight._version) for weight in (*net.parameters(), x)]
    window.trace.what_ifs.add(WhatIf(node(window, name), "set", 1.25, place))
    idle(window, qtbot)
    index = window.trace.stepping.index
    assert index.trace.what_ifs and index.original is not None and index.trace.worst_error < 1e-12
    put_back(began)
    loss, gradients = by_hand(twin, x, y, what, place, 1.25)
    assert index.trace.loss == pytest.approx(loss, rel=1e-12, abs=1e-12) and loss != index.original.trace.loss
    for one in index.trace.nodes:
        if one.kind == "parameter":
            np.testing.assert_allclose(index.array(one.gradient), gradients[one.label], rtol=1e-12, atol=1e-12)
    assert all(torch.equal(value, state[key]) for key, value in net.state_dict().items()), "weights and statistics are as they were"
    assert (net.calls, net.seen) == rest[:2] and torch.equal(x, rest[2]) and all(weight.grad is None for weight in net.parameters())
    assert all(tensor._version == version for tensor, version in kept), "a graph of the person's own takes none for written"


def test_generators_are_where_the_person_had_them(shown, qtbot):
    net, x, y = made()
    window = shown(net, x, loss=nn.CrossEntropyLoss(), target=y)
    before = generators()
    suppose(window, qtbot, node(window, "tanh"), "2")
    assert window.trace.stepping.index.trace.what_ifs and generators() == before


def test_what_is_typed_is_shown_beside_what_was_and_can_be_taken_back(shown, qtbot):
    net, x, y = made()
    window = shown(net, x, loss=nn.CrossEntropyLoss(), target=y)
    truth, cursor, weight = window.trace.stepping.index, window.trace.stepping.cursor, node(window, "conv.weight")
    suppose(window, qtbot, weight, "0.7", 4)
    stepping, banner, card = window.trace.stepping, window.step.banner, window.step.chain_rule
    assert stepping.index.original is truth and stepping.cursor == cursor and stepping.selected_node == weight
    assert banner.isVisible() and not banner.keep.isVisible() and "the module itself is not changed" in banner.toolTip()
    assert banner.accessibleName().startswith("What if conv.W[0,0,1,1] = 0.7: loss ")
    assert "the module keeps its own" in card.what_if._note.text()
    scene = window.graph.view.scene()
    assert scene.card_of(weight).state.supposed and scene.card_of(node(window, "tanh")).state.differs
    suppose(window, qtbot, node(window, "tanh"), "-3")
    assert len(stepping.index.trace.what_ifs) == 2 and stepping.index.original is truth
    qtbot.keySequence(window, "Ctrl+Z")
    idle(window, qtbot)
    assert len(stepping.index.trace.what_ifs) == 1 and window.action_table["undo"].text() == "Undo what-if"
    qtbot.keySequence(window, "Ctrl+Y")
    idle(window, qtbot)
    assert len(stepping.index.trace.what_ifs) == 2
    qtbot.mouseClick(banner.clear, Qt.MouseButton.LeftButton)
    assert stepping.index is truth and not banner.isVisible() and not window.action_table["take_back"].isEnabled()


def test_another_detail_supposes_the_same(shown, qtbot):
    net, x, y = made()
    window = shown(net, x, loss=nn.CrossEntropyLoss(), target=y)
    suppose(window, qtbot, node(window, "tanh"), "2", 3)
    for detail in ("math", "layer"):
        window.graph.detail.chosen.emit(detail)
        qtbot.waitUntil(lambda: not window.trace.busy and bool(window.trace.stepping.index.trace.what_ifs), timeout=30_000)
        index = window.trace.stepping.index
        assert index.trace.detail == detail and index.original.trace.detail == detail
        assert index.trace.worst_error < 1e-9


def test_what_cannot_be_made_is_said_and_changes_nothing(shown, qtbot):
    net, x, y = made()
    window = shown(net, x, loss=nn.CrossEntropyLoss(), target=y)
    truth = window.trace.stepping.index
    suppose(window, qtbot, node(window, "target"), "7")
    assert "what is supposed" in window.toast.text and "Target 7 is out of bounds" in window.toast.text
    assert window.trace.stepping.index is truth and not window.trace.what_ifs.items and not window.trace.undo_order.can_undo
    with torch.no_grad():
        net.out.bias.add_(1.0)
    suppose(window, qtbot, node(window, "tanh"), "2")
    assert "weights of the module have changed" in window.toast.text and window.trace.stepping.index is truth


class Waiting(nn.Module):
    """Never comes to an end where it is given a large number."""

    def __init__(self):
        super().__init__()
        self.linear, self.norm = nn.Linear(2, 3), nn.BatchNorm1d(3)

    def forward(self, x):
        while x[0, 0] > 100:
            x = x + 0
        return self.norm(self.linear(x)).pow(3).sum()


def test_what_takes_too_long_can_be_cancelled_and_leaves_the_module_as_it_was(shown, qtbot):
    net = Waiting()
    window = shown(net, torch.rand(4, 2))
    x = node(window, "x")
    suppose(window, qtbot, x, "3", 1)
    before, state = window.trace.stepping.index, copy.deepcopy(net.state_dict())
    window.trace.what_ifs.add(WhatIf(x, "set", 1000.0))
    qtbot.wait(100)
    assert window.trace.busy and not window.trace.what_ifs.obstacle(()) and "Wait until" in window.trace.what_ifs.obstacle((WhatIf(x),))
    window.trace.cancel()
    idle(window, qtbot)
    assert window.trace.stepping.index is before and len(window.trace.what_ifs.items) == 1
    assert "Cancelled" in window.toast.text and window.action_table["undo"].text() == "Undo what-if"
    assert all(torch.equal(value, state[key]) for key, value in net.state_dict().items())
    qtbot.keySequence(window, "Ctrl+Z")
    assert window.trace.stepping.index is before.original


class Choosing(nn.Module):
    def forward(self, x):
        return (x * 2 if x.sum() > 0 else x + 2).pow(2).sum()


def test_another_way_through_the_module_gives_no_value_to_another_node(shown, qtbot):
    window = shown(Choosing(), torch.ones(2, 3))
    x, product = node(window, "x"), node(window, "mul")
    suppose(window, qtbot, product, "5")
    before = window.trace.stepping.index
    window.trace.what_ifs.add(WhatIf(x, "set", -1.0))
    idle(window, qtbot)
    assert "goes another way, which does not lead to mul" in window.toast.text
    assert window.trace.stepping.index is before and [one.node for one in window.trace.what_ifs.items] == [product]
    window.trace.what_ifs.clear()
    window.trace.what_ifs.add(WhatIf(x, "set", -1.0))
    idle(window, qtbot)
    index = window.trace.stepping.index
    assert index.trace.loss == 6.0 and "add" in {one.operation for one in index.trace.nodes}, "alone it is the other way"


def test_what_show_was_given_is_kept_beside_what_a_person_supposes(shown, qtbot):
    x = torch.ones(2, 3)
    window = shown(lambda x: (x * 2).tanh().sum(), x, what_ifs=[ValueChange(0, "set", 3.0)])
    banner, stepping = window.step.banner, window.trace.stepping
    given = stepping.index
    assert banner.isVisible() and not banner.take_back.isVisible() and "→" not in banner.accessibleName()
    suppose(window, qtbot, node(window, "mul"), "0")
    assert len(stepping.index.trace.what_ifs) == 2 and stepping.index.original is given and banner.take_back.isVisible()
    assert stepping.index.trace.loss == pytest.approx(5 * np.tanh(6.0))
    qtbot.mouseClick(banner.take_back, Qt.MouseButton.LeftButton)
    assert stepping.index is given


def test_every_detail_is_supposed_from_where_it_began():
    net, x, y = made()
    source = TracedModule(net, (x,), {"loss": nn.CrossEntropyLoss(), "target": y})
    traces = {detail: source.take(detail).index.trace for detail in ("layer", "math")}
    for detail, trace in traces.items():
        tanh = next(one.id for one in trace.nodes if one.operation == "tanh")
        again = source.take(detail, (), lambda: None, (WhatIf(tanh, "scale", 1.0),)).index.trace
        assert again.loss == trace.loss and len(again.nodes) == len(trace.nodes)


def test_a_breakpoint_is_taken_back_in_the_same_order(shown, qtbot):
    net, x, y = made()
    window = shown(net, x, loss=nn.CrossEntropyLoss(), target=y)
    tanh = node(window, "tanh")
    suppose(window, qtbot, tanh, "2")
    window.trace.toggle_breakpoint(tanh)
    qtbot.keySequence(window, "Ctrl+Z")
    assert not window.trace.breakpoint_marks and window.trace.what_ifs.items
    qtbot.keySequence(window, "Ctrl+Z")
    assert not window.trace.what_ifs.items
    qtbot.keySequence(window, "Ctrl+Y")
    idle(window, qtbot)
    qtbot.keySequence(window, "Ctrl+Y")
    assert window.trace.what_ifs.items and window.trace.breakpoint_marks == {tanh: True}


def test_a_trace_without_its_module_says_why_nothing_can_be_supposed(shown, qtbot):
    net, x, y = made()
    window = shown(nnviz.capture(net, x, loss=nn.CrossEntropyLoss(), target=y))
    window.trace.stepping.select(node(window, "tanh"))
    row = window.step.chain_rule.what_if
    assert not row.buttons["set"].isEnabled() and "captured before, without its module" in row._note.text()
    qtbot.keySequence(window, "Ctrl+H")
    assert "captured before" in window.toast.text and not row.box.isVisible()
    window.trace.what_ifs.add(WhatIf(node(window, "tanh"), "ablate"))
    assert not window.trace.what_ifs.items and not window.trace.busy


def test_a_graph_the_person_has_kept_can_still_go_backward(shown, qtbot):
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    x = torch.ones(2, 2, dtype=torch.float64)
    loss = net(x).sum()
    window = shown(net, x, loss=lambda output, target: output.sum())
    suppose(window, qtbot, node(window, "2.weight"), "5")
    assert window.trace.stepping.index.trace.what_ifs
    loss.backward()
    assert net[0].weight.grad is not None


def test_what_a_function_is_given_can_be_another(shown, qtbot):
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    window = shown(lambda x, y: (x * y).sum(), x, y=y)
    window.trace.stepping.set_sample(1)
    suppose(window, qtbot, node(window, "y"), "10")
    assert window.trace.stepping.index.trace.loss == 23.0 and y.tolist() == [3.0, 4.0]


def test_what_was_supposed_is_no_part_of_the_next_capture():
    net, x, y = made()
    source = TracedModule(net, (x,), {"loss": nn.CrossEntropyLoss(), "target": y})
    first = source.take("textbook")
    tanh = next(one.id for one in first.index.trace.nodes if one.operation == "tanh")
    assert source.take("textbook", (), lambda: None, (WhatIf(tanh, "ablate"),)).index.trace.loss != first.index.trace.loss
    again = source.take("textbook", (), lambda: None, (WhatIf(tanh, "scale", 1.0),)).index.trace
    assert again.loss == first.index.trace.loss, "it starts where the first one did"
