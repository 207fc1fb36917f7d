"""A learner's gradients against torch: right ones are taken in whatever digits, and every slip is called by its name where it was made."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import nnviz
from nnviz.lessons import gradient_check
from nnviz.lessons.gradient_check import FOLLOWS, NOT_HERE, RIGHT, SHAPE, TOO_FEW_DIGITS, UNKNOWN_NAME, WRONG
from tests.lessons.slipped import NETS, SLOPES, Case, Convolution, Deep, Recurrent, Residual, Spoilt, Worked, case

SEEDS = st.integers(0, 10_000)
several = settings(max_examples=4)


def verdicts(case: Case, mine: dict, **how):
    return nnviz.check_gradients(case.net, case.x, mine=mine, loss=how.pop("loss", case.net.loss), target=case.y, **how)


def names(entry) -> set[str]:
    return {one.name for one in entry.misconceptions}


def recognised(case: Case, mine: dict, name: str, **how):
    """The verdicts, of which the first wrong one in backward order is called by this name and nothing behind it is blamed."""
    found = verdicts(case, mine, **how)
    first = found.first_wrong
    assert first is not None and first.name == case.first_changed(mine), str(found)
    assert name in names(first), str(found)
    assert {entry.status for entry in found.entries} <= {RIGHT, WRONG, FOLLOWS}
    assert sum(entry.status == WRONG for entry in found.entries) == 1, str(found)
    return found


# --- right ones ---


@pytest.mark.parametrize("kind", NETS)
@several
@given(seed=SEEDS)
def test_torchs_own_gradients_are_right(kind, seed):
    for dtype in (torch.float64, torch.float32):
        one = case(kind, seed, dtype)
        assert verdicts(one, one.gradients()).ok
        assert verdicts(one, {name: g.float() for name, g in one.gradients().items()}).ok


@pytest.mark.parametrize("kind", NETS)
@several
@given(seed=SEEDS)
def test_four_printed_digits_are_enough(kind, seed):
    one = case(kind, seed)
    with np.printoptions(precision=4, suppress=True, threshold=10_000):
        text = "\n".join(f"{name} = {g.numpy() * 1.0}" for name, g in one.gradients().items() if g.abs().max() > 0.05)
    if text:
        assert verdicts(one, text).ok
    significant = {name: np.vectorize(lambda v: float(f"{v:.3e}"))(g.numpy()) for name, g in one.gradients().items()}
    assert verdicts(one, significant).ok


def test_of_fewer_digits_nothing_is_said():
    one = case(Deep, 3)
    g = one.gradients()["l1.weight"].numpy()
    size = np.abs(g).max()
    digits = 1 - int(np.floor(np.log10(size)))
    found = verdicts(one, {"l1.weight": np.round(g, digits)})["l1.weight"]
    assert found.status == TOO_FEW_DIGITS and "precision=8" in found.sentence


def test_nodes_are_checked_too_by_name_number_and_as_variables():
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    x, y = torch.randn(4, 2), torch.randn(4, 1)
    trace = nnviz.capture(net, x, loss=torch.nn.functional.mse_loss, target=y)
    node = next(node for node in trace.nodes if node.label == "tanh")
    assert nnviz.check_gradients(trace, mine={"1/tanh": node.gradient}).ok
    assert nnviz.check_gradients(trace, mine={str(node.id): node.gradient}).ok
    assert nnviz.check_gradients(trace, mine={"1": node.gradient}).entries[0].status != UNKNOWN_NAME, "a layer is its output"
    assert nnviz.check_gradients(trace, mine={"2_weight": trace.parameter_gradients["2.weight"]}).ok
    twice = nnviz.check_gradients(trace, mine={"1/tanh": node.gradient, "1_tanh": node.gradient})
    assert [entry.status for entry in twice.entries] == [RIGHT, UNKNOWN_NAME]


def test_large_tensors_are_checked_in_python():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(90, 70), torch.nn.ReLU(), torch.nn.Linear(70, 2))
    x, y = torch.randn(60, 90), torch.randint(0, 2, (60,))
    torch.nn.functional.cross_entropy(net(x), y).backward()
    mine = {name: parameter.grad.clone() for name, parameter in net.named_parameters()}
    assert nnviz.check_gradients(net, x, mine=mine, loss=torch.nn.functional.cross_entropy, target=y).ok
    mine["0.weight"] *= -1
    found = nnviz.check_gradients(net, x, mine=mine, loss=torch.nn.functional.cross_entropy, target=y)
    assert found.first_wrong.name == "0.weight" and names(found.first_wrong) == {"sign"}


def test_of_large_weights_clipping_and_updates_are_known_too():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 80), torch.nn.Tanh(), torch.nn.Linear(80, 70))
    x, y = torch.randn(6, 4), torch.randn(6, 70)
    how = {"loss": torch.nn.functional.mse_loss, "target": y, "optimizer": torch.optim.SGD(net.parameters(), 20.0)}
    torch.nn.functional.mse_loss(net(x), y).backward()
    norm = torch.sqrt(sum((p.grad**2).sum() for p in net.parameters()))
    clipped = {name: p.grad * 0.01 / (norm + 1e-6) for name, p in net.named_parameters()}
    assert nnviz.check_gradients(net, x, mine=clipped, clip_norm=0.01, **how).ok
    early = net[2].weight - 20 * net[2].weight.grad
    delta = (2 * (net(x) - y) / y.numel()) @ early * (1 - torch.tanh(net[0](x)) ** 2)
    found = nnviz.check_gradients(net, x, mine={"0.weight": delta.T @ x, "0.bias": delta.sum(0)}, **how)
    assert names(found.first_wrong) == {"updated_too_early"} and found["0.bias"].status == FOLLOWS


# --- slips ---


@pytest.mark.parametrize("kind", NETS)
@several
@given(seed=SEEDS)
def test_a_local_derivative_left_out(kind, seed):
    one = case(kind, seed)
    for function in kind.functions:
        found = recognised(one, one.gradients(Spoilt(passes={function})), "local_derivative_left_out")
        places = found.first_wrong.misconceptions[0].places
        assert len(places) == 1 and ("tanh" in places[0] or "sigmoid" in places[0])


def test_a_local_derivative_left_out_everywhere_is_called_so_at_each_layer():
    one = case(Deep, 5)
    found = verdicts(one, one.gradients(Spoilt(passes={"f1", "f2"})))
    assert [entry.status for entry in found.entries] == [RIGHT, RIGHT, WRONG, FOLLOWS, WRONG, FOLLOWS]
    assert names(found["l2.weight"]) == names(found["l1.weight"]) == {"local_derivative_left_out"}
    assert "follows from l1.weight" in found["l1.bias"].sentence


@pytest.mark.parametrize("kind", NETS)
@several
@given(seed=SEEDS)
def test_a_weight_updated_too_early(kind, seed):
    one = case(kind, seed)
    layer = kind.layers[0]
    mine = one.gradients(Spoilt(other_weights={layer: one.after(layer)}))
    found = recognised(one, mine, "updated_too_early", optimizer=one.optimizer())
    assert names(found.first_wrong) == {"updated_too_early"}
    every = one.gradients(Spoilt(other_weights={layer: one.after(layer) for layer in kind.layers}))
    first = verdicts(one, every, optimizer=one.optimizer()).first_wrong
    assert names(first) == {"updated_too_early"}


@pytest.mark.parametrize("kind", [Residual, Recurrent])
@pytest.mark.parametrize("use", [0, 1])
@several
@given(seed=SEEDS)
def test_a_use_left_out_of_the_sum(kind, use, seed):
    one = case(kind, seed)
    recognised(one, one.gradients(Spoilt(cut={(kind.shared, use)})), "not_summed")


@several
@given(seed=SEEDS)
def test_a_weight_used_twice_gets_both_contributions(seed):
    torch.manual_seed(seed)
    layer = torch.nn.Linear(3, 3).double()
    x, y = torch.randn(4, 3).double(), torch.randn(4, 3).double()
    true = torch.autograd.grad(torch.nn.functional.mse_loss(layer(torch.tanh(layer(x))), y), layer.weight)[0]
    last = torch.autograd.grad(torch.nn.functional.mse_loss(layer(torch.tanh(layer(x).detach())), y), layer.weight)[0]
    how = {"loss": torch.nn.functional.mse_loss, "target": y}

    class Twice(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return self.layer(torch.tanh(self.layer(x)))

    for mine in (last, true - last):
        assert "not_summed" in names(nnviz.check_gradients(Twice(), x, mine={"layer.weight": mine}, **how).first_wrong)


@pytest.mark.parametrize("kind", NETS)
@several
@given(seed=SEEDS)
def test_backward_run_twice(kind, seed):
    one = case(kind, seed)
    for _ in range(2):
        one.net.loss(one.net(one.x), one.y).backward()
    mine = {name: dict(one.net.named_parameters())[name].grad.clone() for name in kind.order}
    one.net.zero_grad()
    recognised(one, mine, "twice")
    mine = one.gradients()
    mine[kind.order[-2]] *= 2
    recognised(one, mine, "twice")


@pytest.mark.parametrize("kind", NETS)
@several
@given(seed=SEEDS)
def test_zero_for_what_is_not_computed(kind, seed):
    one = case(kind, seed)
    mine = one.gradients()
    mine[kind.order[-1]] = torch.zeros_like(mine[kind.order[-1]])
    assert names(recognised(one, mine, "zero_for_not_yet").first_wrong) == {"zero_for_not_yet"}


@pytest.mark.parametrize("kind", [Deep, Residual, Recurrent, Convolution])
@several
@given(seed=SEEDS)
def test_the_sum_for_the_mean_and_back(kind, seed):
    one = case(kind, seed)

    def added(out, y):
        return torch.nn.functional.mse_loss(out, y, reduction="sum")

    def over_rows(out, y):
        return added(out, y) / len(out)

    for loss in (added, over_rows):
        found = recognised(one, one.gradients(loss=loss), "sum_for_mean")
        assert found.first_wrong.misconceptions[0].places == ("loss/mse_loss",)
    recognised(one, one.gradients(loss=lambda out, y: one.net.loss(out, y) / len(out)), "mean_for_sum")
    mine = one.gradients()
    mine["l1.weight" if "l1.weight" in mine else kind.order[-1]] *= kind.rows
    recognised(one, mine, "sum_for_mean")


@pytest.mark.parametrize("kind", NETS)
@several
@given(seed=SEEDS)
def test_the_sign_turned(kind, seed):
    one = case(kind, seed)
    found = recognised(one, {name: -g for name, g in one.gradients().items()}, "sign")
    assert found.first_wrong.misconceptions[0].places == ("loss/mse_loss",)
    recognised(one, one.gradients(Spoilt(turned={kind.functions[-1]})), "sign")


@pytest.mark.parametrize("kind", [Deep, Recurrent])
@several
@given(seed=SEEDS)
def test_a_square_weight_transposed(kind, seed):
    one = case(kind, seed)
    name = "l1.weight" if kind is Deep else "u.weight"
    mine = one.gradients()
    mine[name] = mine[name].T.contiguous()
    recognised(one, mine, "transposed")


@pytest.mark.parametrize("kind", [Deep, Residual, Convolution])
def test_another_weight_transposed_has_another_shape(kind):
    one = case(kind, 1)
    mine = one.gradients()
    name = kind.order[0]
    mine[name] = mine[name].T
    found = verdicts(one, mine)
    assert found.first_wrong.name == name and found.first_wrong.status == SHAPE
    assert names(found.first_wrong) == {"transposed"}


@pytest.mark.parametrize("kind", [Worked, Deep, Residual])
@several
@given(seed=SEEDS)
def test_the_outer_derivative_at_the_wrong_place(kind, seed):
    one = case(kind, seed)
    f, place = (torch.sigmoid, "f1") if kind is Worked else (torch.tanh, "f2")
    at_x = one.gradients(Spoilt(slopes={place: lambda x, z: SLOPES[f](x)}))
    at_value = one.gradients(Spoilt(slopes={place: lambda x, z: SLOPES[f](f(z))}))
    written = one.gradients(Spoilt(slopes={place: lambda x, z: z * (1 - z) if f is torch.sigmoid else 1 - z * z}))
    for mine in (at_x, at_value, written):
        assert names(recognised(one, mine, "outer_at_x").first_wrong) == {"outer_at_x"}


class Chain(torch.nn.Module):
    """sin of an inner function of x, with a weight in front."""

    def __init__(self, inner) -> None:
        super().__init__()
        self.weight, self.inner = torch.nn.Parameter(torch.tensor([0.3, -0.8, 1.1], dtype=torch.float64)), inner

    def forward(self, x):
        return torch.sin(self.inner(x * self.weight)).sum()


@pytest.mark.parametrize("inner", [torch.square, lambda u: 3 * u, torch.exp], ids=["square", "times 3", "exp"])
def test_the_inner_derivative_left_out(inner):
    chain, x = Chain(inner), torch.randn(3, dtype=torch.float64)
    mine = torch.cos(inner(x * chain.weight)) * x
    found = nnviz.check_gradients(chain, x, mine={"weight": mine})
    assert "inner_left_out" in names(found.first_wrong)
    assert "sin" not in found.first_wrong.misconceptions[0].places[0]


@pytest.mark.parametrize("inner", [torch.square, lambda u: 3 * u, torch.exp], ids=["square", "times 3", "exp"])
def test_the_outer_derivative_at_x(inner):
    chain, x = Chain(inner), torch.randn(3, dtype=torch.float64)
    u = (x * chain.weight).detach().requires_grad_()
    slope = torch.autograd.grad(inner(u).sum(), u)[0]
    found = nnviz.check_gradients(chain, x, mine={"weight": torch.cos(u) * slope * x})
    assert names(found.first_wrong) == {"outer_at_x"}


@pytest.mark.parametrize("kind", [Deep, Residual, Convolution])
@several
@given(seed=SEEDS)
def test_the_penalty_left_out(kind, seed):
    one = case(kind, seed)
    mine = one.gradients()
    for share in (0.1, 1e-3):
        found = verdicts(one, mine, penalty=lambda net, share=share: share * sum((p**2).sum() for p in net.parameters()))
        assert all(entry.status == WRONG and names(entry) == {"l2_left_out"} for entry in found.entries), str(found)


@pytest.mark.parametrize("kind", [Deep, Residual, Convolution])
def test_clipping_left_out_is_said_of_a_right_gradient(kind):
    one = case(kind, 2)
    mine = one.gradients()
    total = torch.sqrt(sum((g**2).sum() for g in mine.values()))
    how = {"optimizer": one.optimizer(), "clip_norm": 0.1}
    found = verdicts(one, mine, **how)
    assert found.ok and all(names(entry) == {"clipping_left_out"} for entry in found.entries)
    clipped = verdicts(one, {name: g * 0.1 / (total + 1e-6) for name, g in mine.items()}, **how)
    assert clipped.ok and not any(entry.misconceptions for entry in clipped.entries)
    assert not any(entry.misconceptions for entry in verdicts(one, mine, optimizer=one.optimizer(), clip_norm=1e6).entries)


@pytest.mark.parametrize("kind", [Deep, Residual, Convolution])
@several
@given(seed=SEEDS)
def test_one_row_of_the_batch_alone(kind, seed):
    one = case(kind, seed)
    whole = one.y.numel()
    mine = one.gradients()
    last = kind.order[-2]
    alone = Case(one.net, one.x[-1:], one.y[-1:])
    mine[last] = alone.gradients(loss=lambda out, y: ((out - y) ** 2).sum() / whole)[last]
    assert names(recognised(one, mine, "rows_not_summed").first_wrong) == {"rows_not_summed"}


# --- neither right nor a slip ---


@pytest.mark.parametrize("kind", NETS)
@several
@given(seed=SEEDS)
def test_random_numbers_are_wrong_and_no_slip(kind, seed):
    one = case(kind, seed)
    mine = one.gradients()
    name = kind.order[seed % len(kind.order)]
    mine[name] = torch.randn(mine[name].shape, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.float64) * 0.37
    found = verdicts(one, mine)
    assert found.first_wrong.name == name and not found.first_wrong.misconceptions
    assert [entry.name for entry in found.entries if entry.status != RIGHT] == [name]


def test_what_two_slips_give_is_called_by_both_names():
    one = case(Deep, 0)
    one = Case(one.net, one.x[:2], one.y[:2])
    found = verdicts(one, {"l1.weight": 2 * one.gradients()["l1.weight"]})
    assert names(found.first_wrong) == {"twice", "sum_for_mean"}
    assert " Or: " in found.first_wrong.sentence


def test_numbers_that_go_on_from_a_random_mistake_follow_from_it():
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)).double()
    x, y = torch.randn(4, 2).double(), torch.randn(4, 1).double()
    wrong = torch.randn(4, 3).double()
    z = net[0](x)
    delta = wrong * (1 - torch.tanh(z) ** 2)
    mine = {"1/tanh": wrong, "0/linear": delta, "0.weight": delta.T @ x, "0.bias": delta.sum(0)}
    found = nnviz.check_gradients(net, x, mine=mine, loss=torch.nn.functional.mse_loss, target=y)
    assert [(entry.name, entry.status) for entry in found.entries] == [
        ("1/tanh", WRONG), ("0/linear", FOLLOWS), ("0.weight", FOLLOWS), ("0.bias", FOLLOWS),
    ]  # fmt: skip


def test_names_and_shapes_that_do_not_fit_are_said_with_a_cure():
    one = case(Deep, 0)
    mine = one.gradients()
    found = verdicts(one, {"l4.weight": [1.0], "l1.weight": torch.ones(2, 3), "l1.bias": mine["l1.bias"][None], "x": [[1.0], [1.0, 2.0]]})
    assert found["l4.weight"].status == UNKNOWN_NAME and "l1.weight" in found["l4.weight"].sentence
    assert found["l1.weight"].status == SHAPE and "(2, 3)" in found["l1.weight"].sentence and "(3, 3)" in found["l1.weight"].sentence
    assert found["l1.bias"].status == RIGHT and "(1, 3)" in found["l1.bias"].sentence
    assert found["x"].status == UNKNOWN_NAME
    ragged = verdicts(one, {"l1.weight": [[1.0], [1.0, 2.0]]})
    assert ragged["l1.weight"].status == SHAPE


def test_nothing_given_is_not_right():
    one = case(Worked, 0)
    found = verdicts(one, {})
    assert not found.ok and found.first_wrong is None and "No gradient" in str(found)


def test_numbers_that_did_not_travel_are_not_judged():
    torch.manual_seed(0)
    net = torch.nn.Linear(90, 70)
    x, y = torch.randn(6, 90), torch.randn(6, 70)
    trace = nnviz.capture(net, x, loss=torch.nn.functional.mse_loss, target=y)
    from nnviz.viewing.viewing import TracedTrace

    found = gradient_check.check({"weight": np.zeros((70, 90))}, TracedTrace(trace).take("textbook").index)
    assert found["weight"].status == NOT_HERE


def test_numbers_that_are_not_finite_are_compared_too():
    net = torch.nn.Linear(2, 2).double()
    x, y = torch.tensor([[1.0, torch.inf], [1.0, 2.0]]).double(), torch.zeros(2, 2).double()
    trace = nnviz.capture(net, x, loss=torch.nn.functional.mse_loss, target=y)
    true = trace.parameter_gradients
    assert not torch.isfinite(true["weight"]).all()
    assert nnviz.check_gradients(trace, mine=true).ok
    found = nnviz.check_gradients(trace, mine={"bias": [1.0, 2.0], "weight": torch.ones(2, 2)})
    assert {entry.status for entry in found.entries} == {WRONG} and not any(entry.misconceptions for entry in found.entries)


def test_a_large_graph_is_searched_only_as_far_as_was_allowed():
    from nnviz.viewing.viewing import TracedTrace

    one = case(Deep, 4)
    trace = nnviz.capture(one.net, one.x, loss=one.net.loss, target=one.y)
    index = TracedTrace(trace).take("textbook").index
    mine = {name: g.numpy() for name, g in one.gradients(Spoilt(passes={"f1"})).items()}
    assert names(gradient_check.GradientChecker(index).check(mine).first_wrong) == {"local_derivative_left_out"}
    cut = gradient_check.GradientChecker(index, most=3).check(mine)
    assert not cut.first_wrong.misconceptions and "Not all slips" in cut.first_wrong.sentence and cut.is_cut_short
    told = []
    whole = gradient_check.GradientChecker(index).check(mine, told.append)
    assert not whole.is_cut_short and names(whole.first_wrong) == {"local_derivative_left_out"}
    first = [one for one in told if one.entry == told[0].entry]
    assert [one.tried for one in first] == list(range(first[0].slips)) and first[-1].gradients > first[0].gradients == 0


def test_a_slip_is_not_seen_where_it_would_have_spoilt_what_is_right():
    one = case(Deep, 6)
    mine = one.gradients()
    for name in ("l2.bias", "l1.weight", "l1.bias"):
        mine[name] = -mine[name]
    found = verdicts(one, mine)
    assert found["l2.weight"].status == RIGHT and found.first_wrong.name == "l2.bias"
    assert found.first_wrong.misconceptions[0].places == ("l2.bias",), "not at its layer: the weight there is right"


def test_the_example_of_the_readme_runs(capsys):
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    first, *blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    example = next(block for block in blocks if "check_gradients" in block)
    named = {}
    exec(first.split("trace = ")[0], named)
    torch.nn.functional.mse_loss(named["model"](named["x"]), named["y"]).backward()
    trace = nnviz.capture(named["model"], named["x"], loss=torch.nn.functional.mse_loss, target=named["y"])
    named["da"] = next(node.gradient for node in trace.nodes if node.label == "tanh")
    named |= {"dW2": named["model"][2].weight.grad, "dW1": named["model"][0].weight.grad.numpy()}
    exec(example, named)
    assert named["verdicts"].ok and capsys.readouterr().out.startswith("All 3 gradients are right.")
