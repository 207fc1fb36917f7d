"""Second derivatives: against torch.func, work by hand, finite differences, and training at both sides of the limit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from nnviz.document import edits
from nnviz.document.catalog import new_layer
from nnviz.document.store.examples import template
from nnviz.engine.errors import BuildError
from nnviz.engine.observe import curvature as module
from nnviz.engine.observe.curvature import curvature
from nnviz.engine.observe.run_loss import RunLoss
from nnviz.engine.run.checkpoints import Checkpoint
from nnviz.engine.run.private_copy import private_copy
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import Trainer, digest
from nnviz.engine.tasks import Task
from nnviz.records.task_records import Curvature, CurvatureTask
from nnviz.records.tensors import to_numpy
from tests.engine.experiments import HERE, chain, experiment, mlp, table

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # which torch.func.hessian calls itself

SMOOTH = experiment(mlp(activation="tanh", p=0.0), batch_size=16, precision="float64", l2=0.01)


def trained(document, iterations: int = 20) -> Trainer:
    timeline = Timeline(document, HERE)
    timeline.go_to(iterations)
    return timeline.trainer


def finished(trainer: Trainer, task: CurvatureTask | None = None) -> Curvature:
    work = Task(curvature(task or CurvatureTask(), trainer))
    while not work.is_over:
        work.advance()
    return work.found


# --- the Hessian ---


def by_torch(trainer: Trainer, trains: bool = True) -> torch.Tensor:
    """The Hessian of the same loss over all training rows, by torch.func."""
    trainer = private_copy(trainer)
    names, shapes = list(trainer.parameters), [one.shape for one in trainer.parameters.values()]
    weights = [place for place, shape in enumerate(shapes) if len(shape) > 1]
    flat = torch.cat([one.detach().ravel() for one in trainer.parameters.values()])
    l2 = trainer.experiment.training.l2

    def loss(theta):
        parts = [part.view(shape) for part, shape in zip(theta.split([shape.numel() for shape in shapes]), shapes, strict=True)]
        output = torch.func.functional_call(trainer.net, dict(zip(names, parts, strict=True)), (trainer.training_rows.x,))
        penalty = l2 / 2 * sum(parts[place].pow(2).sum() for place in weights)
        return trainer.loss(output, trainer.training_rows.targets) + penalty

    if trains:
        trainer.prepare()
    return torch.func.hessian(loss)(flat)


def test_the_hessian_is_torchs_and_symmetric():
    trainer = trained(SMOOTH)
    found, expected = finished(trainer), by_torch(trainer)
    assert to_numpy(found.hessian) == pytest.approx(expected.numpy(), abs=1e-12)
    assert found.asymmetry < 1e-13
    assert to_numpy(found.eigenvalues) == pytest.approx(torch.linalg.eigvalsh(expected).numpy(), abs=1e-12)
    assert found.layout == tuple((name, one.numel()) for name, one in trainer.parameters.items())


def test_the_hessian_of_a_convolution_is_torchs():
    """Whose parameters stand before and behind pools, and of which some are locked."""
    document = edits.change_layer(edits.change_layer(template("cnn"), "c1", out_channels=2), "c2", out_channels=3)
    trainer = trained(replace(document, precision="float64", locks={"c2.bias": True, "out.bias": [[3]]}), 3)
    found = finished(trainer)
    sizes = [one.numel() for one in trainer.parameters.values()]
    locked = {*range(sum(sizes[:3]), sum(sizes[:4])), sum(sizes[:5]) + 3}
    kept = [place for place in range(sum(sizes)) if place not in locked]
    expected = by_torch(trainer)[kept][:, kept]
    assert to_numpy(found.eigenvalues) == pytest.approx(torch.linalg.eigvalsh(expected).numpy(), abs=1e-11)
    assert found.hessian is None or to_numpy(found.hessian) == pytest.approx(expected.numpy(), abs=1e-11)
    assert found.asymmetry < 1e-13


def test_a_matrix_that_is_not_symmetric_is_told(monkeypatch):
    """The half that is not worked out is held against the product of the whole."""
    trainer = trained(SMOOTH)
    derivative = RunLoss.derivative
    monkeypatch.setattr(RunLoss, "derivative", lambda *args: derivative(*args).index_fill(0, torch.tensor(0), 0.0))
    assert finished(trainer).asymmetry > 1e-4


def line(x: list, y: list, **training) -> Trainer:
    """A line through points: z = w·x + b with mean squared error in float64, whose Hessian is 2/n [[Σx², Σx], [Σx, n]]."""
    network = chain(new_layer("input", "x", shape=[1]), new_layer("dense", "out", units=1))
    training = {"optimizer": "sgd", "settings": {"learning_rate": 0.1}, "loss": "mse"} | training
    data = table([[one] for one in x], [[one] for one in y], validation=0.0, scaling="none")
    return Timeline(experiment(network, data=data, batch_size=None, precision="float64", **training), HERE).trainer


def test_the_hessian_of_a_line_is_what_is_worked_out_by_hand():
    found = finished(line([1.0, 2.0, 4.0], [1.0, 0.0, 2.0]))
    assert to_numpy(found.hessian) == pytest.approx(2 / 3 * np.array([[21.0, 7.0], [7.0, 3.0]]), abs=1e-13)
    values = np.linalg.eigvalsh(2 / 3 * np.array([[21.0, 7.0], [7.0, 3.0]]))
    assert found.condition == pytest.approx(values[1] / values[0]) and (found.negative, found.flat) == (0, 0)
    assert (found.smallest, found.largest) == pytest.approx(tuple(values))


def test_what_is_frozen_or_locked_has_no_axis():
    document = replace(edits.freeze_layer(SMOOTH, "h2", True), locks={"out.weight": [[0, 0], [1, 2]], "out.bias": True})
    trainer = trained(document)
    found = finished(trainer)
    assert found.layout == (("h1.weight", 8), ("h1.bias", 4), ("out.weight", 6))
    kept = [*range(12), *(32 + place for place in (1, 2, 3, 4, 5, 7))]
    assert to_numpy(found.hessian) == pytest.approx(by_torch(trainer).numpy()[np.ix_(kept, kept)], abs=1e-12)


@pytest.mark.parametrize("rows", ["all", "batch"])
@pytest.mark.parametrize("mode", ["training", "evaluation"])
def test_its_loss_is_that_of_the_run(rows, mode):
    trainer = trained(experiment(batch_size=16, l1=0.001))
    found = finished(trainer, CurvatureTask(rows, mode))
    if (rows, mode) == ("all", "evaluation"):
        assert found.loss == trainer.evaluate(trainer.training_rows)[0]
    if (rows, mode) == ("batch", "training"):
        assert found.loss == trainer.differentiate(trainer.rows())
        gradients = torch.cat([one.ravel().double() for one in trainer.gradients.values()])
        assert found.gradient_norm == pytest.approx(gradients.norm().item(), rel=1e-6)


# --- Lanczos ---


@pytest.mark.parametrize("units", [4, 10, 12])
def test_lanczos_finds_both_ends_of_the_whole(monkeypatch, units):
    trainer = trained(edits.change_layer(SMOOTH, "h2", units=units))
    whole = finished(trainer)
    monkeypatch.setattr(module, "LARGEST", 0)
    found = finished(trainer)
    assert found.steps > 0 and found.hessian is None and found.newton is None
    size = sum(count for _, count in found.layout)
    assert 30 < size <= 150
    values, every = to_numpy(found.eigenvalues), to_numpy(whole.eigenvalues)
    assert values[:2] == pytest.approx(every[:2], rel=1e-6, abs=1e-9) and values[-2:] == pytest.approx(every[-2:], rel=1e-6)
    assert all(min(abs(every - value)) < 1e-6 for value in values)  # none that is not there
    assert found.stability.sharpness == pytest.approx(whole.stability.sharpness, rel=1e-6)
    hessian = by_torch(trainer).numpy()
    for value, vector in zip(values[[0, 1, -2, -1]], to_numpy(found.vectors), strict=True):
        assert hessian @ vector == pytest.approx(value * vector, abs=1e-6)


def test_a_net_too_large_for_a_whole_hessian_is_answered():
    trainer = trained(edits.change_layer(edits.change_layer(experiment(batch_size=16), "h1", units=60), "h2", units=40))
    found = finished(trainer)
    assert sum(count for _, count in found.layout) > module.LARGEST and found.steps > 0
    assert found.smallest < found.largest and found.condition is None and found.stability.largest_rate > 0


# --- the check by differences ---


def test_products_agree_with_differences_of_gradients():
    double, single = finished(trained(SMOOTH)), finished(trained(edits.set_precision(SMOOTH, "float32")))
    assert double.check.kinks == single.check.kinks == 0
    assert double.check.error < 1e-9 and single.check.error < 1e-4


def gradient_at(trainer: Trainer, theta: torch.Tensor) -> torch.Tensor:
    """The gradient of the loss over all training rows by plain autograd, with the parameters put there by hand."""
    parameters, x, targets = list(trainer.parameters.values()), trainer.training_rows.x, trainer.training_rows.targets
    with torch.no_grad():
        for parameter, part in zip(parameters, theta.split([one.numel() for one in parameters]), strict=True):
            parameter.copy_(part.view_as(parameter))
    loss = trainer.loss(trainer.net(x), targets) + trainer.penalty(trainer.net)
    return torch.cat([one.ravel() for one in torch.autograd.grad(loss, parameters)]).double()


@pytest.mark.parametrize(("precision", "most"), [("float64", 1e-9), ("float32", 1e-4)])
def test_the_hessian_times_a_vector_is_a_difference_of_gradients(precision, most):
    """Without anything of the module: H·v against central differences over ∛ε of the scale, along random directions and along axes."""
    trainer = trained(edits.set_precision(SMOOTH, precision))
    hessian = torch.from_numpy(to_numpy(finished(trainer).hessian).copy())
    copy, theta = private_copy(trainer), torch.cat([one.detach().ravel() for one in trainer.parameters.values()])
    step = torch.finfo(theta.dtype).eps ** (1 / 3) * max(1.0, theta.norm().item())
    size = len(theta)
    for direction in (*torch.randn(4, size, generator=torch.Generator().manual_seed(1), dtype=torch.float64), torch.eye(size).double()[3]):
        direction = direction / direction.norm()
        ends = [gradient_at(copy, theta + sign * (step * direction).to(theta.dtype)) for sign in (1, -1)]
        difference, product = (ends[0] - ends[1]) / (2 * step), hessian @ direction
        assert (difference - product).abs().max() <= most * product.abs().max()


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu"])
@pytest.mark.parametrize("distance", [1e-9, 0.5])
def test_a_kink_within_the_step_is_told(activation, distance):
    """One hidden unit whose pre-activation is `distance` above 0 at the row x = 1."""
    network = chain(
        new_layer("input", "x", shape=[1]), new_layer("dense", "h", units=1, activation=activation), new_layer("dense", "out", units=1)
    )
    weights = {"h.weight": [[1.0]], "h.bias": [distance - 1.0], "out.weight": [[1.0]], "out.bias": [0.0]}
    data = table([[1.0]], [[3.0]], validation=0.0, scaling="none")
    found = finished(Timeline(experiment(network, data=data, loss="mse", weights=weights, precision="float64"), HERE).trainer)
    assert (found.check.kinks > 0) is (distance < 1e-6)
    assert found.check.kinks or found.check.error < 1e-9


@pytest.mark.parametrize("loss", ["mae", "huber", "mse"])
@pytest.mark.parametrize("target", [3.0, 3.0 + 1e-9, 4.0 + 1e-9, 9.0])
def test_a_kink_of_the_loss_is_told(loss, target):
    """ŷ = 3 at x = 1: |ŷ − y| has its kink at 0, Huber's loss at 1."""
    network = chain(new_layer("input", "x", shape=[1]), new_layer("dense", "out", units=1))
    data = table([[1.0]], [[target]], validation=0.0, scaling="none")
    weights = {"out.weight": [[2.0]], "out.bias": [1.0]}
    found = finished(Timeline(experiment(network, data=data, loss=loss, weights=weights, precision="float64"), HERE).trainer)
    assert (found.check.kinks > 0) is (target - 3.0 < 1e-6 if loss == "mae" else loss == "huber" and 0.9 < target - 3.0 < 1.1)


@pytest.mark.parametrize("kernel", [1e-6, 1.0])
def test_a_kink_of_a_maximum_is_told(kernel):
    """Where the kernel passes 0 the largest pixel under the window becomes the smallest."""
    network = chain(
        new_layer("input", "x", shape=[1, 2, 2]),
        new_layer("conv2d", "c", out_channels=1, kernel_size=1),
        new_layer("max_pool", "p", kernel_size=2),
        new_layer("flatten", "f"),
        new_layer("dense", "out", units=1),
    )
    data = table([[1.0, 2.0, 0.0, 0.0]], [[3.0]], validation=0.0, scaling="none")
    weights = {"c.weight": [[[[kernel]]]], "c.bias": [0.0], "out.weight": [[1.0]], "out.bias": [0.0]}
    found = finished(Timeline(experiment(network, data=data, loss="mse", weights=weights, precision="float64"), HERE).trainer)
    assert (found.check.kinks > 0) is (kernel < 1e-5)


def test_other_kinks_are_told_as_well():
    """Of a recurrent net with ReLU, of a maximum, of |w| and of the losses."""
    weights = {"h1.weight": [[1e-9, 0.5], [0.3, 0.4], [0.1, -0.2], [0.6, 0.7]]}
    for change in ({"l1": 0.01}, {}):
        document = experiment(mlp(activation="tanh", p=0.0), precision="float64", weights=weights, **change)
        assert (finished(Timeline(document, HERE).trainer).check.kinks > 0) is bool(change)
    rnn = template("rnn")
    layer = next(one.id for one in rnn.network if one.kind == "rnn")
    kinked = finished(trained(edits.change_layer(rnn, layer, activation="relu"), 5))
    assert kinked.check.kinks > 0 and finished(trained(rnn, 5)).check.kinks == 0


# --- stability ---

OPTIMIZERS = {
    "gradient descent": ("sgd", {}),
    "momentum": ("sgd", {"momentum": 0.9}),
    "dampened momentum": ("sgd", {"momentum": 0.8, "dampening": 0.5}),
    "nesterov": ("sgd", {"momentum": 0.9, "nesterov": True}),
    "weight decay": ("sgd", {"momentum": 0.5, "weight_decay": 0.7}),
    "adam": ("adam", {"beta2": 0.999999}),
    "adam with decay": ("adam", {"beta1": 0.5, "beta2": 0.999999, "weight_decay": 0.3}),
    "amsgrad": ("adam", {"beta2": 0.999999, "amsgrad": True}),
    "adamw": ("adamw", {"beta2": 0.999999, "weight_decay": 2e-7}),
    "rmsprop": ("rmsprop", {"alpha": 0.99999, "momentum": 0.6}),
    "centered": ("rmsprop", {"alpha": 0.99999, "centered": True}),
    "adagrad": ("adagrad", {"lr_decay": 1e-9}),
}
MOMENTS = {"adam": "exp_avg_sq", "adamw": "exp_avg_sq", "rmsprop": "square_avg", "adagrad": "sum"}
SQUARES = {"out.weight": [[4.0]], "out.bias": [0.25]}


def on_a_quadratic(kind: str, settings: dict) -> Trainer:
    """A line, with an optimizer whose second moments have come to rest, at values that differ by parameter."""
    settings = {"learning_rate": 0.1} | settings
    trainer = line([1.0, 2.0, -1.0], [1.0, 0.0, 2.0], optimizer=kind, settings=settings)
    if kind == "sgd":
        return trainer
    trainer.advance()
    large = 1e12  # so that what comes hardly changes it
    step = 1.0 if kind == "adagrad" else 1e8  # the corrections of Adam are over
    state = {name: dict(entry) for name, entry in trainer.checkpoint().state.items()}
    for name, entry in state.items():
        entry |= {key: torch.zeros_like(value) for key, value in entry.items() if key != "step"}
        moment = torch.tensor(SQUARES[name], dtype=torch.float64) * large
        entry |= {"step": torch.tensor(step), MOMENTS[kind]: moment}
        entry |= {"max_exp_avg_sq": moment.clone()} if settings.get("amsgrad") else {}
    before = trainer.checkpoint()
    moved = Checkpoint(before.experiment, before.position, before.tensors, state, before.early_stopping, before.plateau)
    trainer.restore(moved)
    return trainer


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_just_below_the_limit_it_converges_and_just_above_it_does_not(name):
    kind, settings = OPTIMIZERS[name]
    trainer = on_a_quadratic(kind, settings)
    stability = finished(trainer).stability
    assert stability.largest_rate == pytest.approx(stability.limit / stability.sharpness)
    highest, last = {}, {}
    for share in (0.96, 1.04):
        copy = private_copy(trainer)
        copy.set_learning_rate(share * stability.largest_rate)
        losses = []
        for _ in range(600):
            if copy.advance():
                break
            losses.append(copy.point.loss)
        highest[share], last[share] = max(losses) / losses[0], losses[-1] / losses[0]
    assert last[0.96] < 1 and highest[0.96] < 30
    assert highest[1.04] > 300  # those that divide by it catch themselves again when the gradient has grown enough


def test_the_limits_are_those_of_the_books():
    known = {"gradient descent": 2, "momentum": 3.8, "nesterov": 3.8 / 2.8, "adam": 38, "rmsprop": 3.2, "adagrad": 2}
    for name, limit in known.items():
        assert finished(on_a_quadratic(*OPTIMIZERS[name])).stability.limit == pytest.approx(limit)


def test_the_factor_of_a_layer_is_in_the_limit():
    trainer = trained(edits.choose_optimizer(SMOOTH, "sgd"), 5)
    layers = tuple(replace(one, learning_rate_factor=0.5) for one in SMOOTH.network)
    halved = replace(trainer.experiment, network=replace(SMOOTH.network, layers=layers))
    other = private_copy(trainer, halved)
    assert finished(other).stability.sharpness == pytest.approx(finished(trainer).stability.sharpness / 2)


def test_adams_sharpness_is_that_of_the_hessian_divided_by_the_corrected_roots():
    trainer = trained(SMOOTH, 3)
    state = trainer.checkpoint().state
    divisors = [(state[name]["exp_avg_sq"].ravel() / (1 - 0.999**3)).sqrt() + 1e-8 for name in trainer.parameters]
    roots = torch.cat(divisors).rsqrt()
    expected = torch.linalg.eigvalsh(roots.unsqueeze(1) * by_torch(trainer) * roots)[-1].item()
    stability = finished(trainer).stability
    assert stability.sharpness == pytest.approx(expected, rel=1e-9)
    assert stability.largest_rate == pytest.approx(38 / expected) and stability.learning_rate == 0.01


def test_before_its_first_step_adam_has_no_limit():
    found = finished(Timeline(SMOOTH, HERE).trainer)
    assert found.stability is None and "no step yet" in found.why_no_stability


# --- Newton's step ---


def test_one_newton_step_solves_a_quadratic():
    x, y = np.array([1.0, 2.0, -1.0, 0.5]), np.array([1.0, 0.0, 2.0, 1.0])
    found = finished(line(x.tolist(), y.tolist()))
    least = np.linalg.lstsq(np.stack([x, np.ones(4)], 1), y, rcond=None)[1][0] / 4
    step = found.newton
    assert step.loss == pytest.approx(least, rel=1e-12) and step.predicted == pytest.approx(least, rel=1e-12)
    assert step.gradient_loss == pytest.approx(step.gradient_predicted, rel=1e-12) and step.loss < step.gradient_loss < found.loss
    assert (step.numbers, step.operations, step.negative, step.flat) == (4, 8, 0, 0) and step.slope < 0


def test_an_indefinite_hessian_is_told():
    found = finished(trained(SMOOTH))
    values = to_numpy(found.eigenvalues)
    assert found.newton.negative == found.negative == (values < -1e-13).sum() > 0
    assert found.newton.numbers == 42**2 and found.newton.operations == 42**3


def test_the_gradient_step_is_the_one_plain_gradient_descent_makes():
    trainer = line([1.0, 2.0], [1.0, 0.0])
    step, copy = finished(trainer).newton, private_copy(trainer)
    copy.advance()
    assert step.gradient_loss == pytest.approx(copy.evaluate(copy.training_rows)[0], rel=1e-12)


def test_the_run_does_not_notice():
    trainer = trained(experiment(batch_size=16))
    before = digest(trainer.net)
    finished(trainer)
    assert digest(trainer.net) == before


def test_a_loss_without_curvature_has_flat_directions_only():
    found = finished(line([1.0, 2.0], [5.0, 9.0], loss="mae"))
    assert (found.flat, found.negative, found.condition, found.largest) == (2, 0, None, 0.0)
    assert found.stability.largest_rate is None and found.newton.norm == 0.0 and found.check.error == 0.0


def test_what_has_no_curvature_says_why():
    with pytest.raises(BuildError, match="locked"):
        finished(trained(replace(SMOOTH, locks={name: True for name in trained(SMOOTH, 0).parameters})))
    trainer = line([1.0, 2.0], [1.0, 0.0])
    trainer.set_tensors({"out.bias": torch.tensor([torch.inf])})
    with pytest.raises(BuildError, match="not finite"):
        finished(trainer)
