"""`nnviz.show`: any module in a window, stepped node by node both ways, at every folded level."""

import pytest
import torch
from PySide6.QtCore import Qt, QTimer

import nnviz
from nnviz.ui.shell.trace_window import run
from tests.trace import zoo


@pytest.fixture
def resnet(shown):
    module, inputs = zoo.make("resnet18")
    return shown(module, *inputs, optimizer=torch.optim.SGD(module.parameters(), 0.1))


def wait(window, qtbot):
    """Until nothing is done beside the window any more."""
    qtbot.waitUntil(lambda: not window.trace.busy, timeout=60_000)


def is_laid_out(window):
    return not window.graph.view.scene().placer.is_busy


def test_a_resnet_opens_folded_and_opens_level_by_level(resnet, qtbot):
    scene = resnet.graph.view.scene()
    assert len(resnet.trace.stepping.state.index.trace.nodes) > 500 and len(scene.cards) < 30
    resnet.graph.view.folds.open_all()
    qtbot.waitUntil(lambda: is_laid_out(resnet), timeout=60_000)
    assert len(scene.cards) > 500 and not any(card.state.folded for card in scene.cards.values())


@pytest.mark.parametrize("opened", [(), ("net/4",), ("net/4", "net/4/0"), ("net/5", "net/5/0", "net/5/0/downsample", "net/5/0/bn1")])
def test_every_step_forward_is_undone_by_one_back(resnet, qtbot, opened):
    resnet.graph.view.folds.set(resnet.graph.view.scene().folded - set(opened))
    stepping, places = resnet.trace.stepping, [0]
    while not stepping.is_at_end:
        qtbot.keyClick(resnet, Qt.Key.Key_F10)
        places.append(stepping.cursor)
    back = [stepping.cursor]
    while stepping.cursor:
        qtbot.keyClick(resnet, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
        back.append(stepping.cursor)
    assert back == places[::-1] and len(places) > 30


def test_with_everything_open_the_walk_passes_every_node(resnet, qtbot):
    resnet.graph.view.folds.open_all()
    qtbot.waitUntil(lambda: is_laid_out(resnet), timeout=60_000)
    stepping = resnet.trace.stepping
    for place in range(1, stepping.length + 1):
        resnet.step.step(+1)
        assert stepping.cursor == place
    for place in range(stepping.length - 1, stepping.length - 150, -1):
        resnet.step.step(-1)
        assert stepping.cursor == place


def test_into_and_out_work_on_the_innermost_group(resnet):
    stepping = resnet.trace.stepping
    nodes, steps = stepping.state.index.trace.nodes, stepping.state.index.trace.steps
    while "4" not in nodes[steps[stepping.cursor].node].group:
        resnet.step.step(+1)
    for level in ("0", "bn1", "variance"):
        before = stepping.cursor
        resnet.graph.into()
        group = stepping.state.node.group
        assert level in group and before <= stepping.cursor <= before + 1
        assert "/".join(group[: group.index(level) + 1]) not in resnet.graph.view.scene().folded, "the group is open"
    for level, outer in (("variance", "bn1"), ("bn1", "0"), ("0", "net")):
        resnet.trace.stepping.out()
        assert outer in stepping.state.node.group and level not in stepping.state.node.group[2:]


def test_every_detail_is_of_the_same_iteration_and_the_module_stands_as_after_one_forward(shown, qtbot):
    module, inputs = zoo.make("dropout_train")
    torch.manual_seed(5)
    window = shown(module, *inputs)
    losses, after = [window.trace.stepping.state.index.trace.loss], torch.get_rng_state()
    for detail in ("math", "layer"):
        window.graph.detail.chosen.emit(detail)
        wait(window, qtbot)
        losses.append(window.trace.stepping.state.index.trace.loss)
    assert losses == pytest.approx([losses[0]] * 3, abs=1e-12) and torch.equal(torch.get_rng_state(), after)


def test_one_module_is_opened_further_than_the_others_and_the_rest_stays_as_it_was(shown, qtbot):
    module, inputs = zoo.make("resnet18")
    window = shown(module, *inputs, detail="layer")
    window.graph.view.folds.set(window.graph.view.scene().folded - {"net/4", "net/4/0"})
    window.graph.view.detail_requested.emit("net/4/0/bn1", "textbook")
    wait(window, qtbot)
    trace, scene = window.trace.stepping.state.index.trace, window.graph.view.scene()
    assert {node.group[:4] for node in trace.nodes if node.operation == "sqrt"} == {("net", "4", "0", "bn1")}
    assert "net/4/0" not in scene.folded and "net/5" in scene.folded
    assert scene.title("net/4/0/bn1") == "bn1 · textbook"


def test_running_statistics_move_once_however_often_the_detail_changes(shown, qtbot):
    module, inputs = zoo.make("batch_norm_train")
    twin, _ = zoo.make("batch_norm_train")
    twin(*inputs)
    window = shown(module, *inputs)
    window.graph.detail.chosen.emit("math")
    wait(window, qtbot)
    for mine, its in zip(module.buffers(), twin.buffers(), strict=True):
        torch.testing.assert_close(mine, its, rtol=0, atol=1e-12)


def test_a_trace_that_is_there_already_is_shown_as_it_is(shown):
    module, inputs = zoo.make("lstm")
    trace = nnviz.capture(module, *inputs, detail="math")
    window = shown(trace)
    assert window.trace.stepping.state.index.trace.loss == trace.loss
    assert window.graph.detail.key == "math"


def test_a_gradient_is_checked_by_finite_differences(shown, qtbot):
    module, inputs = zoo.make("mlp_tanh_mse")
    window = shown(module, *inputs)
    weight = next(node for node in window.trace.stepping.state.index.trace.nodes if node.label == "net.0.weight")
    window.trace.stepping.to_end()
    window.trace.stepping.select(weight.id)
    checks = []
    window.step.chain_rule.set_check = checks.append
    window.step.chain_rule.check_requested.emit(weight.id, (1, 2))
    wait(window, qtbot)
    (check,) = checks
    assert check.numeric == pytest.approx(check.analytic, rel=1e-6)


def test_playing_ends_at_the_end(shown, qtbot):
    module, inputs = zoo.make("mlp_tanh_mse")
    window = shown(module, *inputs)
    window.trace.stepping.to(window.trace.stepping.length - 2)
    window.step.play(+1)
    qtbot.waitUntil(lambda: not window.trace.stepping.is_playing, timeout=10_000)
    assert window.trace.stepping.is_at_end


def test_showing_ends_when_the_window_is_closed(qapp):
    module, inputs = zoo.make("mlp_tanh_mse")
    window = nnviz.show(module, *inputs, block=False)  # run deletes it
    QTimer.singleShot(0, window.close)
    run(window)


def test_what_cannot_be_traced_is_raised_and_leaves_no_window(qapp):
    with pytest.raises(RuntimeError, match="the loss must be one"):
        nnviz.show(torch.nn.Linear(2, 2), torch.ones(3, 2), block=False)


@pytest.fixture
def mlp(shown):
    module, inputs = zoo.make("mlp_tanh_mse")
    return shown(module, *inputs, optimizer=torch.optim.Adam(module.parameters()))


def test_the_proof_is_in_sight(mlp):
    names = {agreement.parameter for agreement in mlp.trace.stepping.state.index.trace.agreements}
    mlp.badge.click()
    assert "equals torch" in mlp.badge.text() and {row[0] for row in mlp.step.proof.rows()} == names
    assert len(names) == 4


def test_what_is_not_seen_takes_no_room(mlp, qapp):
    graph, node = mlp.graph.cards["graph"], mlp.step.cards["inspector"]
    qapp.processEvents()
    assert graph.height() > 0.9 * mlp.height(), "there are no pictures below it"
    node.enlarge_requested.emit()
    qapp.processEvents()
    assert node.width() > 0.9 * mlp.width() and node.height() > 0.9 * mlp.height()


def test_an_optimizer_brings_its_microscope(mlp, shown):
    mlp.trace.stepping.to_end()
    assert mlp.step.cards["microscope"].isVisible() and [row.symbol for row in mlp.step.microscope.rows][:4] == ["θ", "g", "m", "v"]
    assert all(row.value is not None for row in mlp.step.microscope.rows)
    module, inputs = zoo.make("mlp_tanh_mse")
    assert not shown(module, *inputs).step.cards["microscope"].isVisible()


def test_a_breakpoint_on_a_node_stops_what_comes_past(mlp, qtbot):
    nodes = mlp.trace.stepping.state.index.trace.nodes
    tanh = next(node.id for node in nodes if node.operation == "tanh")
    mlp.trace.stepping.select(tanh)
    qtbot.keyClick(mlp, Qt.Key.Key_F9)
    mlp.trace.stepping.select(None)
    mlp.trace.stepping.move("iteration", +1)
    assert mlp.trace.stepping.state.node.id == tanh and mlp.trace.stepping.state.phase == "forward"
    mlp.trace.stepping.play(10)
    qtbot.waitUntil(lambda: not mlp.trace.stepping.is_playing, timeout=20_000)
    assert mlp.trace.stepping.state.node.id == tanh and mlp.trace.stepping.state.phase == "backward"
    assert [card.state.breakpoint for card in mlp.graph.view.scene().cards.values()].count(True) == 1


def test_card_and_microscope_are_about_the_same_weight(mlp):
    mlp.trace.stepping.to_end()
    weight = next(node for node in mlp.trace.stepping.state.index.trace.nodes if node.label == "net.0.weight")
    mlp.step.microscope.element_picked.emit(weight.id, (1, 1))
    assert (mlp.step.chain_rule.node().id, mlp.step.chain_rule.element()) == (weight.id, (1, 1))
    assert (mlp.step.microscope.node, mlp.step.microscope.element) == (weight.id, (1, 1))
    mlp.step.chain_rule.choose_element(0)
    assert mlp.step.chain_rule.element() == mlp.step.microscope.element == (0, 0)
    mlp.trace.stepping.select(next(node.id for node in mlp.trace.stepping.state.index.trace.nodes if node.label == "net.2.weight"))
    assert (mlp.step.microscope.node, mlp.step.microscope.element) == (mlp.step.chain_rule.node().id, mlp.step.chain_rule.element())


def test_the_cursors_node_is_pinned_and_gone_on_to_without_being_chosen(mlp, qtbot):
    stepping, modifiers = mlp.trace.stepping, Qt.KeyboardModifier
    while stepping.state.node is None or stepping.state.node.operation != "tanh":
        mlp.step.step(+1)
    here, cursor = stepping.state.node.id, stepping.state.cursor
    qtbot.keyClick(mlp, Qt.Key.Key_P, modifiers.ControlModifier | modifiers.AltModifier)
    mlp.step.step(+1)
    assert stepping.is_pinned and mlp.step.chain_rule.node().id == here != stepping.state.node.id
    qtbot.keyClick(mlp, Qt.Key.Key_P, modifiers.AltModifier)
    assert not stepping.is_pinned and mlp.step.chain_rule.node().id == stepping.state.node.id
    stepping.to(cursor)
    qtbot.keyClick(mlp, Qt.Key.Key_F10, modifiers.ControlModifier)
    assert stepping.state.node.id == here and stepping.state.cursor > cursor


def test_a_function_is_shown_with_the_modules_it_uses(shown, qtbot):
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    window = shown(lambda x: net(x).square().mean(), torch.randn(4, 3))
    window.graph.detail.chosen.emit("math")
    wait(window, qtbot)
    assert {node.label for node in window.trace.stepping.index.trace.nodes} >= {"net.0.weight", "net.1.bias"}
    assert net[1].num_batches_tracked == 1 and "lambda" in window.windowTitle()


class Lazy(torch.nn.Module):
    """A dropout before the layers that are made at their first call."""

    def __init__(self):
        super().__init__()
        self.drop, self.layer, self.norm, self.unused = torch.nn.Dropout(), torch.nn.LazyLinear(4), torch.nn.LazyBatchNorm1d(), None

    def forward(self, x, *, scale):
        return self.norm(self.layer(self.drop(x))).relu().mean() * scale


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_lazy_modules_are_made_once_and_every_detail_is_of_the_same_iteration(shown, qtbot):
    torch.manual_seed(3)
    net, x = Lazy(), torch.randn(6, 3)
    net.unused = torch.nn.LazyBatchNorm1d()
    torch.manual_seed(5)
    window = shown(net, x, scale=2.0)
    losses, after = [window.trace.stepping.index.trace.loss], torch.get_rng_state()
    for detail in ("layer", "math"):
        window.graph.detail.chosen.emit(detail)
        wait(window, qtbot)
        losses.append(window.trace.stepping.index.trace.loss)
    torch.manual_seed(5)
    assert net.norm.num_batches_tracked == 1 and losses == pytest.approx([net(x, scale=2.0).item()] * 3, abs=1e-6)
    assert torch.equal(torch.get_rng_state(), after) and net.unused.has_uninitialized_params()


def test_a_folded_module_of_one_call_has_one_node(shown):
    window = shown(torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh()), torch.randn(4, 3), loss=lambda output, _: output.sum())
    window.graph.view.folds.fold_all()
    notes = {card.state.note for card in window.graph.view.scene().cards.values() if card.state.folded}
    assert "1 node" in notes and "1 nodes" not in notes
