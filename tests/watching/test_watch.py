"""`nnviz.watch`: it changes nothing, halts where a condition holds, names iteration, node and row, and refuses in sentences."""

import copy
import io
import json
import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import nnviz
from nnviz.trace import TraceError
from tests.watching.loops import Call, trained, watched

mse, cross_entropy = nn.MSELoss(), nn.CrossEntropyLoss()


@pytest.fixture(scope="module")
def unwatched():
    return trained()


# --- it changes nothing ---


def test_a_watched_loop_ends_with_the_same_bits(unwatched):
    found, losses, net, watch = trained(break_on=["non_finite", "gradient > 100", "loss > 50"])
    assert (found, losses) == unwatched[:2] and not watch.halts and watch.iteration == 300
    assert not net._forward_hooks and not net._forward_pre_hooks and not net._forward_pre_hooks_with_kwargs


def test_halts_that_are_continued_leave_the_same_bits(unwatched):
    seen = []
    found, losses, *_ = trained(break_on=["loss rising > 0.15", "update ratio > 0.8"], on_break=lambda halt: seen.append(halt))
    assert (found, losses) == unwatched[:2] and len(seen) > 3
    assert all(halt.trace is not None and not halt.notes and halt.trace.worst_error < 1e-4 for halt in seen)
    assert all(halt.loss == losses[halt.iteration] for halt in seen)
    assert all(halt.trace.loss == halt.loss for halt in seen), "dropout and batch norm are made again as they were"


def test_hooks_are_gone_whatever_ends_the_loop():
    net = nn.Linear(3, 1)
    optimizer, loss = torch.optim.SGD(net.parameters(), 0.1), nn.MSELoss()
    with pytest.raises(KeyError, match="mine"), nnviz.watch(net, optimizer, loss=loss):
        raise KeyError("mine")
    assert not any((net._forward_hooks, net._forward_pre_hooks, loss._forward_hooks, loss._forward_hooks_with_kwargs))
    assert not optimizer._optimizer_step_pre_hooks and not optimizer._optimizer_step_post_hooks


def test_a_loss_that_the_loop_keeps_has_no_hook_left():
    kept = []

    def iterate(k, net, optimizer, watch):
        kept.append(mse(net(torch.rand(4, 3)), torch.rand(4, 1)))
        kept[-1].backward()
        optimizer.step()

    watched(nn.Linear(3, 1), iterate, 3, mse)
    assert not any(loss._backward_hooks for loss in kept)


def test_what_modules_keep_for_themselves_is_as_it_was():
    class Keeps(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.calls, self.last, self.seen = nn.Linear(3, 1), 0, None, []

        def forward(self, x):
            self.calls += 1
            self.last = x
            self.seen.append(x.sum().item())
            return self.linear(x)

    net, given = Keeps(), []

    def iterate(k, net, optimizer, watch):
        given.append(torch.rand(4, 3))
        regression(net, optimizer, given[-1])

    watch = watched(net, iterate, 3, mse, break_on="loss > 0")
    assert len(watch.halts) == 3 and net.calls == 3 and net.last is given[-1] and len(net.seen) == 3


def test_a_model_can_be_copied_and_saved_in_the_loop():
    copies = []

    def iterate(k, net, optimizer, watch):
        regression(net, optimizer, torch.rand(4, 3))
        copies.append(copy.deepcopy(net))
        torch.save(net, io.BytesIO())

    watched(nn.Linear(3, 1), iterate, 2, mse)
    assert copies[0](torch.rand(4, 3)).shape == (4, 1)


# --- where it halts ---


def regression(net, optimizer, x, loss=mse):
    optimizer.zero_grad()
    loss(net(x), torch.full((len(x), 1), 0.5)).backward()
    optimizer.step()


def test_a_planted_nan_is_where_it_halts():
    def iterate(k, net, optimizer, watch):
        x = torch.rand(8, 3)
        if k == 20:
            x[5, 1] = -9.0
        regression(net, optimizer, x)

    net = nn.Sequential(Call(torch.abs), nn.Identity(), Call(lambda x: torch.log(x + 0.1 - 20 * (x > 8))), nn.Linear(3, 1))
    halt = watched(net, iterate, 21, mse).halts[0]
    node = halt.trace.nodes[halt.node]
    assert (halt.iteration, halt.row, node.operation, node.module) == (20, 5, "log", "2") and math.isnan(halt.loss)
    assert halt.trace.steps[halt.step - 1].node == node.id and halt.trace.steps[halt.step - 1].phase == "forward"
    assert "row 5" in halt.told and "test_watch.py" in str(halt)


def test_a_gradient_that_alone_is_not_finite_is_found_on_the_way_back():
    def iterate(k, net, optimizer, watch):
        x = torch.rand(8, 3) + 0.1
        if k == 12:
            x[3] = 0.0
        regression(net, optimizer, x)

    net = nn.Sequential(nn.Linear(3, 3, bias=False), Call(torch.abs), Call(torch.sqrt), nn.Linear(3, 1))
    halt = watched(net, iterate, 13, mse).halts[0]
    node = halt.trace.nodes[halt.node]
    assert (halt.iteration, halt.row, node.operation, node.module) == (12, 3, "sqrt", "2") and math.isfinite(halt.loss)
    assert halt.trace.steps[halt.step - 1] == halt.trace.steps[halt.step - 1]._replace(phase="backward", node=node.id)


def test_a_nan_in_the_data_is_an_input():
    def iterate(k, net, optimizer, watch):
        x = torch.rand(8, 3)
        x[6, 2] = math.nan
        regression(net, optimizer, x)

    halt = watched(nn.Linear(3, 1), iterate, 1, mse).halts[0]
    assert halt.trace.nodes[halt.node].kind == "input" and (halt.row, halt.step) == (6, 1)


def steep(k, net, optimizer, watch):
    """Row 2 is far away in iteration 3."""
    x = torch.rand(8, 3)
    if k == 3:
        x[2] = 200.0
    regression(net, optimizer, x)


@pytest.mark.parametrize(
    ("condition", "operation", "row"),
    [
        ("gradient > 100", "parameter", 2),
        ("|gradient| above 100", "parameter", 2),
        ("gradient of 0.weight > 100", "parameter", 2),
        ("gradient norm > 100", "parameter", 2),
        ("loss > 20", "mse_loss", 2),
        ("loss rising > 20", "mse_loss", 2),
        ("update ratio > 10", "parameter", None),
        (lambda step: "too large" if step.gradient_norm > 100 else "", "mse_loss", 2),
    ],
)
def test_each_condition_holds_where_it_should(condition, operation, row):
    torch.manual_seed(0)
    watch = watched(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1)), steep, 4, mse, break_on=condition)
    (halt,) = watch.halts
    assert (halt.iteration, halt.trace.nodes[halt.node].operation, halt.row) == (3, operation, row)
    real = {name: parameter.grad for name, parameter in watch._model.named_parameters()}
    assert all(torch.equal(halt.trace.true_gradients[name], gradient) for name, gradient in real.items())


def test_below_and_a_rising_loss_without_a_bound():
    watch = watched(nn.Linear(3, 1), lambda k, *more: steep(k, *more), 2, mse, break_on="gradient < 1e9")
    assert [halt.iteration for halt in watch.halts] == [0, 1]
    _, losses, _, watch = trained(30, break_on="loss rising", on_break=lambda halt: None)
    rises = [k for k in range(1, 30) if losses[k] > losses[k - 1]]
    assert [halt.iteration for halt in watch.halts] == rises[-10:]


def test_the_answers():
    def iterate(k, net, optimizer, watch):
        regression(net, optimizer, torch.rand(4, 3))

    said = iter(["continue", "ignore"])
    watch = watched(nn.Linear(3, 1), iterate, 6, mse, break_on="loss > 0", on_break=lambda halt: next(said))
    assert [halt.iteration for halt in watch.halts] == [0, 1] and watch.stopped is None
    net = nn.Linear(3, 1)
    before = net.weight.clone()
    watch = watched(net, iterate, 6, mse, break_on="loss > 0", on_break=lambda halt: "stop")
    assert watch.iteration == 0 and watch.stopped is watch.halts[0] and torch.equal(net.weight, before)
    with pytest.raises(ValueError, match="answered 'go'"):
        watched(nn.Linear(3, 1), iterate, 1, mse, break_on="loss > 0", on_break=lambda halt: "go")


def test_what_is_printed_says_it_once(capsys):
    def iterate(k, net, optimizer, watch):
        regression(net, optimizer, torch.full((4, 3), math.inf if k else 1.0))

    watched(nn.Linear(3, 1), iterate, 5, mse, on_break="print")
    said = capsys.readouterr().out
    assert said.count("the loop halts in iteration 1, before its update") == 1 and "input" in said and "not looked at any more" in said


def test_the_trace_can_be_written(tmp_path):
    watch = watched(nn.Linear(3, 1), steep, 1, mse, break_on="loss > 0")
    watch.halts[0].write(tmp_path / "halt.json")
    value = json.loads((tmp_path / "halt.json").read_text())
    assert value["halt"]["iteration"] == value["iteration"] == 0 and len(value["nodes"]) == len(watch.halts[0].trace.nodes)


# --- loops of other shapes ---


def test_accumulated_gradients_are_one_trace():
    def iterate(k, net, optimizer, watch):
        optimizer.zero_grad()
        for part in range(4):
            x = torch.rand(8, 3)
            if part == 2 and k == 1:
                x[6, 0] = math.nan
            (mse(net(x), torch.rand(8, 1)) / 4).backward()
        optimizer.step()

    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.2), nn.Linear(4, 1))
    first, second = watched(net, iterate, 2, mse, break_on=["non_finite", "loss > 0"]).halts
    assert not first.notes and first.trace.loss == pytest.approx(first.loss, rel=1e-6) and len(first.trace.nodes) > 40
    assert second.trace.nodes[second.node].label == "x.2" and second.row == 6


@pytest.mark.parametrize(
    ("net", "shape", "between", "target"),
    [
        (nn.Linear(3, 1), (8, 3), lambda out: out.squeeze(1), lambda: torch.rand(8)),
        (nn.Linear(3, 5), (4, 6, 3), lambda out: out.transpose(1, 2), lambda: torch.randint(5, (4, 6))),
        (nn.Linear(3, 5), (4, 6, 3), lambda out: out[:, -1], lambda: torch.randint(5, (4,))),
        (nn.Linear(3, 5), (4, 6, 3), lambda out: out.reshape(-1, 5), lambda: torch.randint(5, (24,))),
        (nn.Linear(3, 5), (8, 3), lambda out: out[1:7:2, 1:], lambda: torch.randint(4, (3,))),
    ],
)
def test_views_between_model_and_loss_are_made_again(net, shape, between, target):
    loss = cross_entropy if net.out_features > 1 else mse

    def iterate(k, net, optimizer, watch):
        optimizer.zero_grad()
        loss(between(net(torch.rand(shape))), target()).backward()
        optimizer.step()

    (halt,) = watched(net, iterate, 1, loss, break_on="loss > 0").halts
    assert not halt.notes and halt.trace.loss == halt.loss
    assert all(torch.equal(halt.trace.true_gradients[name], one.grad) for name, one in net.named_parameters())


def test_a_function_is_called_by_way_of_the_watch_and_may_look_at_the_model():
    net = nn.Linear(3, 1)

    def penalised(output, target):
        return F.mse_loss(output, target) + 0.1 * net.weight.norm()

    def iterate(k, net, optimizer, watch):
        optimizer.zero_grad()
        watch.loss(net(torch.rand(4, 3)), torch.rand(4, 1)).backward()
        optimizer.step()

    (halt,) = watched(net, iterate, 1, penalised, break_on="loss > 0").halts
    assert not halt.notes and halt.trace.loss == halt.loss and "norm" in {node.operation for node in halt.trace.nodes}


def test_clipping_and_scaling_are_said():
    def clipped(by):
        def iterate(k, net, optimizer, watch):
            optimizer.zero_grad()
            mse(net(torch.rand(8, 3) * 10), torch.rand(8, 1)).backward()
            by(net.parameters(), 0.5)
            optimizer.step()

        return iterate

    def scaled(k, net, optimizer, watch):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            value = mse(net(torch.rand(8, 3)), torch.rand(8, 1))
        scaler.scale(value).backward()
        scaler.step(optimizer)
        scaler.update()

    torch.manual_seed(0)
    net, scaler = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1)), torch.amp.GradScaler("cpu", init_scale=1024.0)
    (by_norm,) = watched(copy.deepcopy(net), clipped(nn.utils.clip_grad_norm_), 1, mse, break_on="loss > 0").halts
    (by_value,) = watched(copy.deepcopy(net), clipped(nn.utils.clip_grad_value_), 1, mse, break_on="loss > 0").halts
    (by_scale,) = watched(copy.deepcopy(net), scaled, 1, mse, break_on="loss > 0").halts
    assert by_norm.trace.clipping.total is not None and "it clips them" in by_norm.notes[0]
    assert by_value.trace.clipping.limit == pytest.approx(0.5) and "to ±0.5" in by_value.notes[0]
    assert "scales its loss by 1024" in by_scale.notes[0] and by_scale.trace.loss == by_scale.loss


def test_a_closure_is_looked_at_before_the_update():
    def iterate(k, net, optimizer, watch):
        x, y = torch.rand(4, 3), torch.rand(4, 1)

        def closure():
            optimizer.zero_grad()
            value = mse(net(x), y)
            value.backward()
            return value

        assert optimizer.step(closure).item() > 0

    watch = watched(nn.Linear(3, 1), iterate, 2, mse, break_on="loss > 0")
    assert [halt.iteration for halt in watch.halts] == [0, 1] and all(not halt.notes for halt in watch.halts)


def test_a_model_that_returns_its_loss_and_takes_keywords_and_dicts():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(3, 1)

        def forward(self, batch, *, scale):
            return {"loss": F.mse_loss(self.linear(batch["x"]), batch["y"]) * scale, "logits": None}

    def iterate(k, net, optimizer, watch):
        optimizer.zero_grad()
        net({"x": torch.rand(4, 3), "y": torch.rand(4, 1)}, scale=torch.tensor(2.0))["loss"].backward()
        optimizer.step()

    (halt,) = watched(Own(), iterate, 1, break_on="loss > 0").halts
    assert not halt.notes and halt.trace.loss == halt.loss
    assert {node.label for node in halt.trace.nodes if node.kind == "input"} >= {"batch.x", "batch.y"}


@dataclass
class Answer:
    logits: torch.Tensor
    loss: torch.Tensor | None = None


@pytest.mark.parametrize("returns_loss", [True, False])
def test_a_model_that_returns_an_object_of_its_own(returns_loss):
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(3, 1)

        def forward(self, x, y):
            out = self.linear(x)
            return Answer(out, F.mse_loss(out, y) if returns_loss else None)

    def iterate(k, net, optimizer, watch):
        optimizer.zero_grad()
        x, y = torch.rand(4, 3), torch.rand(4, 1)
        answer = net(x, y)
        (answer.loss if returns_loss else mse(answer.logits, y)).backward()
        optimizer.step()

    (halt,) = watched(Own(), iterate, 1, None if returns_loss else mse, break_on="loss > 0").halts
    assert not halt.notes and halt.trace.loss == halt.loss


def test_two_networks_that_take_turns():
    maker, judge, loss = nn.Linear(2, 2), nn.Linear(2, 1), nn.BCEWithLogitsLoss()
    other = torch.optim.SGD(maker.parameters(), 0.1)

    def iterate(k, net, optimizer, watch):
        noise, one = torch.rand(8, 2), torch.ones(8, 1)
        optimizer.zero_grad()
        (loss(net(torch.rand(8, 2)), one) + loss(net(maker(noise).detach()), one * 0)).backward()
        optimizer.step()
        other.zero_grad()
        loss(net(maker(noise)), one).backward()
        other.step()

    watch = watched(judge, iterate, 3, loss, break_on="loss > 0")
    assert [len(halt.notes) for halt in watch.halts] == [0, 0, 0]
    assert all(sum("with_logits" in node.operation for node in halt.trace.nodes) == 2 for halt in watch.halts)


def test_one_watch_inside_another_and_a_capture_in_the_loop_see_nothing_of_each_other():
    maker, judge, loss = nn.Linear(2, 2), nn.Linear(2, 1), nn.BCEWithLogitsLoss()
    other = torch.optim.SGD(maker.parameters(), 0.1)
    halts = []
    with nnviz.watch(maker, other, loss=lambda fake, one: loss(judge(fake), one), break_on="loss > 0", on_break=halts.append) as outer:

        def iterate(k, net, optimizer, watch):
            noise, one = torch.rand(8, 2), torch.ones(8, 1)
            other.zero_grad()
            outer.loss(maker(noise), one).backward()
            other.step()
            nnviz.capture(net, noise, loss=loss, target=one)
            optimizer.zero_grad(set_to_none=False)
            loss(net(noise), one).backward()
            optimizer.step()

        watch = watched(judge, iterate, 3, loss, break_on="loss > 0")
    assert len(halts) == len(watch.halts) == 3 and not any(halt.notes for halt in (*halts, *watch.halts))


def test_a_cell_that_the_loop_calls_step_by_step_with_evaluations_in_between():
    def iterate(k, net, optimizer, watch):
        optimizer.zero_grad()
        state = torch.zeros(8, 4)
        for _ in range(3):
            state = net(torch.rand(8, 3), state)
        mse(net(torch.rand(8, 3), torch.zeros(8, 4)), torch.rand(8, 4))  # nobody goes back from it
        with torch.no_grad():
            mse(net(torch.rand(8, 3), state), torch.rand(8, 4))
        mse(state, torch.rand(8, 4)).backward()
        optimizer.step()

    (halt,) = watched(nn.RNNCell(3, 4), iterate, 1, mse, break_on="loss > 0").halts
    assert not halt.notes and halt.trace.loss == halt.loss and halt.row is not None


def test_a_loop_that_changes_its_ways_late_is_still_understood():
    """After some steps that were alike no hook is on the loss any more."""

    def passes(*parts):
        def iterate(k, net, optimizer, watch):
            optimizer.zero_grad()
            for goes_back in parts if k > 4 else [True]:
                loss = mse(net(torch.rand(8, 3)), torch.rand(8, 1))
                if goes_back:
                    loss.backward()
            optimizer.step()

        return iterate

    for parts in ((True, True, True), (True, False), (False, True), (False, True, True)):
        halts = watched(nn.Linear(3, 1), passes(*parts), 8, mse, break_on="loss > 0").halts
        assert [len(halt.notes) for halt in halts] == [0] * 8
        assert [sum(node.operation == "mse_loss" for node in halt.trace.nodes) for halt in halts] == [1] * 5 + [sum(parts)] * 3


def test_a_forward_that_fails_and_a_loss_divided_in_place_are_no_trouble():
    def fails(x):
        if len(x) == 5:
            raise RuntimeError("mine")
        return x

    def iterate(k, net, optimizer, watch):
        optimizer.zero_grad()
        value = mse(net(torch.rand(8, 3)), torch.rand(8, 1))
        before.append(value.item())
        value /= 4
        value.backward()
        with pytest.raises(RuntimeError, match="mine"):
            net(torch.rand(5, 3))
        optimizer.step()

    before = []
    halts = watched(nn.Sequential(nn.Linear(3, 1), Call(fails)), iterate, 5, mse, break_on="loss > 0").halts
    assert [halt.loss for halt in halts] == before and not any(halt.notes for halt in halts)


# --- what it refuses ---


def test_what_cannot_be_made_again_is_said_at_the_halt_and_the_loop_goes_on():
    def iterate(k, net, optimizer, watch):
        x = torch.rand(4, 3)
        mse(net(x), torch.rand(4, 1)).backward()
        x.zero_()
        optimizer.step()

    watch = watched(nn.Linear(3, 1), iterate, 2, mse, break_on="loss > 0")
    assert watch.iteration == 2 and watch.halts[0].trace is None and "written into the batch" in watch.halts[0].notes[0]


def test_what_the_loop_does_to_its_gradients_besides_is_said():
    def iterate(k, net, optimizer, watch):
        mse(net(torch.rand(4, 3)), torch.rand(4, 1)).backward()
        net.weight.grad += 3.0
        optimizer.step()

    (halt,) = watched(nn.Linear(3, 1), iterate, 1, mse, break_on="loss > 0").halts
    assert "others than those of this iteration made again" in halt.notes[0]


def plain(k, net, optimizer, watch):
    F.mse_loss(net(torch.rand(4, 3)), torch.rand(4, 1)).backward()
    optimizer.step()


def squashed(k, net, optimizer, watch):
    mse(net(torch.rand(4, 3)).sigmoid(), torch.rand(4, 1)).backward()
    optimizer.step()


@pytest.mark.parametrize(
    ("loss", "iterate", "said"),
    [
        (F.mse_loss, plain, "call watched.loss(output, target) in the loop"),
        (None, plain, "watch has seen no loss: give it loss="),
        (mse, plain, "backward came to no loss of MSELoss"),
        (mse, squashed, "something else than what the model returns"),
    ],
)
def test_a_loss_that_is_not_seen_is_said_at_the_first_step(loss, iterate, said):
    net = nn.Linear(3, 1)
    with pytest.raises(TraceError) as raised:
        watched(net, iterate, 1, loss)
    assert said in str(raised.value) and not net._forward_hooks


@pytest.mark.parametrize("detail", ["textbook", "math"])
def test_of_a_mask_the_row_is_named_that_it_hides_entirely(detail):
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.scores = nn.Linear(4, 3)

        def forward(self, x, mask):
            return self.scores(x).masked_fill(mask, -math.inf).softmax(-1)

    net, loss, halts = Masked(), nn.MSELoss(), []
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    mask = torch.eye(6, 3, dtype=torch.bool)
    mask[4] = True
    with nnviz.watch(net, optimizer, loss=loss, on_break=lambda halt: halts.append(halt) or "stop", detail=detail):
        loss(net(torch.randn(6, 4), mask), torch.rand(6, 3)).backward()
        optimizer.step()
    assert halts[0].row == 4 and trace_operation(halts[0]) == "masked_fill"
    assert "in row 4 of the batch: 6 of 18 values, of which -inf at (4, 0) makes " in halts[0].told


def trace_operation(halt):
    return halt.trace.nodes[halt.node].operation


@pytest.mark.parametrize(("condition", "said"), [("loss > 3", ". Row 2 has the largest loss, "), ("gradient > 3", ". Row 2 sends back ")])
def test_the_row_begins_a_sentence_of_its_own(condition, said):
    net, loss, halts = nn.Linear(2, 1), nn.MSELoss(), []
    optimizer, target = torch.optim.SGD(net.parameters(), 0.1), torch.zeros(4, 1)
    target[2] = 100.0
    with nnviz.watch(net, optimizer, loss=loss, break_on=condition, on_break=lambda halt: halts.append(halt) or "stop"):
        loss(net(torch.ones(4, 2)), target).backward()
        optimizer.step()
    assert said in halts[0].told


@pytest.mark.parametrize("is_named_input", [True, False])
def test_an_input_is_called_by_its_name_once(is_named_input):
    net, loss, halts = nn.Linear(2, 1), nn.MSELoss(), []
    net = net if is_named_input else nn.Sequential(net)
    optimizer, x = torch.optim.SGD(net.parameters(), 0.1), torch.ones(3, 2)
    x[1, 0] = math.inf
    with nnviz.watch(net, optimizer, loss=loss, on_break=lambda halt: halts.append(halt) or "stop"):
        loss(net(x), torch.ones(3, 1)).backward()
        optimizer.step()
    assert "input is the first that is not finite in row 1" in halts[0].told and "input input" not in halts[0].told


def test_what_cannot_be_watched_is_refused_before_the_loop():
    net = nn.Linear(3, 1)
    sgd = torch.optim.SGD(net.parameters(), 0.1)
    for arguments, how, said in (
        ((net, torch.optim.LBFGS(net.parameters())), {}, "so no one iteration can be shown: watch SGD or Adam"),
        ((net, torch.optim.SGD(nn.Linear(1, 1).parameters(), 0.1)), {}, "holds no parameter of this model"),
        ((lambda x: x, sgd), {}, "watch takes the module that the loop calls"),
        (([net, net], sgd), {}, "one `with nnviz.watch(…)` inside another"),
        ((net, (sgd, sgd)), {}, "one `with nnviz.watch(…)` inside another"),
        ((net, sgd), {"break_on": 7}, "break_on=7 is no condition"),
        ((net, sgd), {"break_on": []}, "break_on=[] holds no condition, so the loop would never halt. Write for example non_finite, "),
        ((net, sgd), {"loss": nn.MSELoss}, "the class MSELoss: give it an instance"),
        ((net, sgd), {"break_on": "gradiant > 3"}, "is no condition. Write for example non_finite, gradient > 100, "),
        ((net, sgd), {"break_on": "loss > much"}, "is no condition"),
        ((net, sgd), {"break_on": "gradient of 7 > 1"}, "the optimizer holds no parameter '7'"),
        ((net, sgd), {"on_break": "stop"}, 'give "window", "print"'),
        ((net, sgd), {"detail": "neurons"}, "none of layer, textbook, math"),
    ):
        with pytest.raises((TraceError, ValueError)) as raised:
            nnviz.watch(*arguments, **how)
        assert said in str(raised.value)


def test_an_optimizer_made_before_the_first_watch_is_watched_too():
    """Whatever nnviz loads later must leave the hooks of torch's optimizers alone."""
    code = """
import torch, nnviz
net, loss = torch.nn.Linear(1, 1), torch.nn.MSELoss()
optimizer = torch.optim.SGD(net.parameters(), 0.1)
with nnviz.watch(net, optimizer, loss=loss) as watch:
    loss(net(torch.ones(2, 1)), torch.ones(2, 1)).backward()
    optimizer.step()
print(watch.iteration)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "1", done.stderr
