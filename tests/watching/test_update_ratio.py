"""`break_on="update ratio > …"`: measured after the step, which is taken back at a halt and made anew when the loop goes on."""

import copy
from contextlib import nullcontext

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adagrad, Adam, AdamW, NAdam, RMSprop

import nnviz
from nnviz.watching import conditions
from nnviz.watching._kept_before_step import can_be_taken_back
from tests.watching.loops import batches, digest

QUICK = {
    "plain": lambda held: SGD(held, 0.3),
    "momentum": lambda held: SGD(held, 0.1, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda held: SGD(held, 0.1, momentum=0.9, nesterov=True),
    "rate as a tensor": lambda held: Adam(held, torch.tensor(0.05)),
    "AMSGrad": lambda held: Adam(held, 0.05, amsgrad=True, weight_decay=0.01),
    "AdamW": lambda held: AdamW(held, 0.05),
    "RMSprop": lambda held: RMSprop(held, 0.01, centered=True, momentum=0.5),
    "Adagrad": lambda held: Adagrad(held, 0.1, lr_decay=0.01),
}
OTHERS = {
    "writes into gradients": lambda held: SGD(held, 0.1, momentum=0.9, nesterov=True, foreach=True),
    "fused": lambda held: Adam(held, 0.05, fused=True),
    "no known kind": lambda held: NAdam(held, 0.05),
}


def trained(make, count=12, ready=lambda optimizer: None, by_closure=False, after=lambda k, net: None, **how):
    """Net, optimizer and watch after so many iterations, watched if `how` asks."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net, loss = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2)), nn.CrossEntropyLoss()
    optimizer = make(net.parameters())
    ready(optimizer)
    with nnviz.watch(net, optimizer, loss=loss, **how) if how else nullcontext() as watch:
        for k, (x, y) in enumerate(batches(count)):

            def closure(x=x, y=y):
                optimizer.zero_grad()
                value = loss(net(x), y)
                value.backward()
                return value

            assert by_closure or closure().item() > 0
            returned = optimizer.step(closure) if by_closure else optimizer.step()
            assert (returned is not None) == by_closure
            after(k, net)
    return net, optimizer, watch


def left_by(net, optimizer):
    """All that training changes, to the bit: which state there is, and how often each parameter was written into."""
    kept = [(place, list(optimizer.state.get(one, {}))) for place, one in enumerate(net.parameters())]
    return digest(net, optimizer), kept, [one._version for one in net.parameters()]


@pytest.mark.parametrize("by_closure", [False, True])
@pytest.mark.parametrize("name", [*QUICK, *OTHERS])
def test_halts_that_are_continued_leave_the_same_bits(name, by_closure):
    make, seen = {**QUICK, **OTHERS}[name], []
    wanted = left_by(*trained(make, by_closure=by_closure)[:2])
    found = trained(make, by_closure=by_closure, break_on="update ratio of 0.weight > 0.02", on_break=seen.append)
    assert can_be_taken_back(found[1]) == (name in QUICK) and found[2].iteration == 12
    assert left_by(*found[:2]) == wanted and seen and seen[0].iteration == 0, "the first step makes the state"
    assert all(halt.trace is not None and not halt.notes and halt.trace.updates for halt in seen)


@pytest.mark.parametrize("name", QUICK)
def test_it_halts_where_the_private_step_says_and_makes_none_elsewhere(name, monkeypatch):
    make, real = QUICK[name], conditions.real_step

    def large(step):
        return max(step.update_ratios.values()) > 0.3

    by_private = trained(make, break_on=large, on_break=lambda halt: None)[2]
    made = []
    monkeypatch.setattr(conditions, "real_step", lambda *given: made.append(1) or real(*given))
    seen = trained(make, break_on="update ratio > 0.3", on_break=lambda halt: None)[2]
    assert [halt.iteration for halt in seen.halts] == [halt.iteration for halt in by_private.halts]
    assert len(made) == len(seen.halts) < 12


@pytest.mark.parametrize("name", QUICK)
def test_a_step_that_only_seemed_too_large_is_made_anew_without_a_halt(name, monkeypatch):
    monkeypatch.setattr(conditions, "_ROUNDED", 1e12)
    wanted = left_by(*trained(QUICK[name])[:2])
    found = trained(QUICK[name], break_on="update ratio > 1e6", on_break=lambda halt: None)
    assert left_by(*found[:2]) == wanted and not found[2].halts and found[2].iteration == 12


@pytest.mark.parametrize("name", ["momentum", "AMSGrad"])
def test_to_stop_leaves_what_was_before_the_first_step(name):
    start = trained(QUICK[name], 0)[0]
    net, optimizer, watch = trained(QUICK[name], break_on="update ratio > 0", on_break=lambda halt: "stop")
    assert watch.iteration == 0 and watch.stopped.iteration == 0 and not optimizer.state
    assert all(torch.equal(one, other) for one, other in zip(net.parameters(), start.parameters(), strict=True))
    assert [one._version for one in net.parameters()] == [one._version for one in start.parameters()]
    assert all(one.grad is not None for one in net.parameters())


@pytest.mark.parametrize("name", QUICK)
def test_to_stop_later_leaves_what_the_steps_before_made(name):
    def answer(halt):
        return "stop" if halt.iteration == 5 else None

    kept = {}
    wanted_net, wanted, _ = trained(QUICK[name], 5)
    net, optimizer, watch = trained(QUICK[name], break_on="update ratio > 1e-9", on_break=answer, after=kept.__setitem__)
    assert watch.iteration == 5 and max(kept) == 4
    pairs = zip(net.parameters(), wanted_net.parameters(), strict=True)
    for one, other in pairs:
        assert torch.equal(one, other) and one._version == other._version
        state, was = optimizer.state.get(one, {}), wanted.state.get(other, {})
        assert list(state) == list(was) and all(torch.equal(state[key], was[key]) for key in was)


def test_what_is_seen_at_the_halt_is_before_the_step():
    seen = []
    net = nn.Linear(3, 1)
    optimizer, loss, start = SGD(net.parameters(), 0.1, momentum=0.9), nn.MSELoss(), copy.deepcopy(net)

    def look(halt):
        seen.append((watch.iteration, net.weight.detach().clone(), len(optimizer.state)))

    with nnviz.watch(net, optimizer, loss=loss, break_on="update ratio > 0", on_break=look) as watch:
        loss(net(torch.ones(4, 3)), torch.ones(4, 1)).backward()
        optimizer.step()
    assert seen[0][0] == seen[0][2] == 0 and torch.equal(seen[0][1], start.weight) and watch.iteration == 1
    assert len(optimizer.state) == 2 and not torch.equal(net.weight, start.weight)


def test_what_is_set_at_the_halt_holds_for_its_update():
    def slower(halt):
        held[0].param_groups[0]["lr"] = 0.0

    held = []
    net, _, watch = trained(QUICK["plain"], 3, ready=held.append, break_on="update ratio > 0", on_break=slower)
    start = trained(QUICK["plain"], 0)[0]
    assert [halt.iteration for halt in watch.halts] == [0], "after that no update is larger than 0"
    assert all(torch.equal(one, other) for one, other in zip(net.parameters(), start.parameters(), strict=True))


def test_hooks_of_the_person_run_once_a_step():
    calls = []

    def ready(optimizer):
        optimizer.register_step_pre_hook(lambda *given: calls.append("before"))
        optimizer.register_step_post_hook(lambda *given: calls.append("after"))

    wanted = left_by(*trained(QUICK["momentum"], ready=ready)[:2])
    once, calls[:] = list(calls), []
    found = trained(QUICK["momentum"], ready=ready, break_on="update ratio > 1e-9", on_break=lambda halt: None)
    assert left_by(*found[:2]) == wanted and calls == once and len(found[2].halts) == 10


def test_with_other_conditions_it_is_one_halt():
    both = ["update ratio > 1e-9", "loss > 0", "gradient > 1e9"]
    watch = trained(QUICK["AdamW"], 3, break_on=both, on_break=lambda halt: None)[2]
    assert [(halt.iteration, halt.kinds) for halt in watch.halts] == [(k, ("update_ratio", "loss")) for k in range(3)]
    watch = trained(QUICK["AdamW"], 3, break_on=both[:1], on_break=lambda halt: "ignore")[2]
    assert watch.iteration == 3 and len(watch.halts) == 1


def test_a_loss_that_is_given_what_the_step_changes_is_still_made_again():
    net = nn.Linear(3, 1)
    optimizer = SGD(net.parameters(), 0.1)

    def loss(output, target, weight):
        return nn.functional.mse_loss(output, target) * weight.square().sum()

    with nnviz.watch(net, optimizer, loss=loss, break_on="update ratio > 0", on_break=lambda halt: None) as watch:
        watch.loss(net(torch.ones(4, 3)), torch.ones(4, 1), net.weight.detach()).backward()
        optimizer.step()
    assert watch.halts[0].trace is not None and not watch.halts[0].notes


def test_sparse_gradients_and_parameters_without_one():
    torch.manual_seed(0)
    net, loss = nn.ModuleDict({"table": nn.Embedding(5, 2, sparse=True), "unused": nn.Linear(2, 1)}), nn.MSELoss()
    net.forward = lambda rows: net["table"](rows)
    optimizer, other = SGD(net.parameters(), 0.5), copy.deepcopy(net)
    with nnviz.watch(net, optimizer, loss=loss, break_on="update ratio > 0", on_break=lambda halt: None) as watch:
        loss(net(torch.tensor([1, 3])), torch.ones(2, 2)).backward()
        assert not can_be_taken_back(optimizer)
        optimizer.step()
    loss(other["table"](torch.tensor([1, 3])), torch.ones(2, 2)).backward()
    SGD(other.parameters(), 0.5).step()
    assert torch.equal(net["table"].weight, other["table"].weight) and len(watch.halts) == 1
