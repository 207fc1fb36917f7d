"""The loss over planes: against the run's own figures, numpy's SVD and plain torch."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from nnviz.document import edits
from nnviz.document.catalog import DATASETS, new_choice, new_layer
from nnviz.document.run_log import RunLog
from nnviz.document.store.examples import template
from nnviz.engine import seeds
from nnviz.engine.errors import BuildError
from nnviz.engine.observe.landscape import loss_plane, random_directions
from nnviz.engine.observe.run_loss import RunLoss
from nnviz.engine.run.private_copy import private_copy
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import digest
from nnviz.engine.tasks import Task
from nnviz.records.task_records import LossPlane, OtherRun, PlaneTask, WeightPlace
from nnviz.records.tensors import to_numpy
from tests.engine.experiments import HERE, chain, experiment

START = experiment(batch_size=16, l1=0.001, l2=0.01)
NORMED = experiment(
    chain(
        new_layer("input", "x", shape=[2]),
        new_layer("dense", "h", units=5, activation="tanh"),
        new_layer("batch_norm", "bn"),
        new_layer("dropout", "d", p=0.3),
        new_layer("dense", "out", units=2),
    ),
    batch_size=14,
    precision="float64",
)
RUNS = {
    "dropout and penalties": START,
    "batch norm in float64": NORMED,
    "gru": template("bidirectional_gru"),
    "vae": template("vae"),
    "encoder": template("encoder"),
    "lstm": template("lstm"),
}
TWO = (WeightPlace("h1.weight", (0, 1)), WeightPlace("out.bias", (1,)))


def trained(document=START, iterations: int = 40) -> Timeline:
    timeline = Timeline(document, HERE)
    timeline.go_to(iterations)
    return timeline


def finished(task: PlaneTask, timeline: Timeline) -> LossPlane:
    work = Task(loss_plane(task, timeline))
    while not work.is_over:
        work.advance()
    return work.found


# --- the centre ---


@pytest.mark.parametrize("name", RUNS)
def test_the_centre_is_the_loss_of_the_run_to_the_bit(name):
    timeline = trained(RUNS[name], 12)
    before = digest(timeline.trainer.net)
    first = next(iter(name for name, one in timeline.trainer.parameters.items() if one.dim() == 2))
    task = PlaneTask("weights", (WeightPlace(first, (0, 0)), WeightPlace(first, (1, 0))), size=3, points=0)
    evaluated, trains = finished(task, timeline), finished(replace(task, rows="batch", mode="training"), timeline)
    assert digest(timeline.trainer.net) == before
    assert evaluated.centre == timeline.trainer.evaluate(timeline.trainer.training_rows)[0]
    timeline.advance()
    assert trains.centre == timeline.trainer.point.loss
    for plane in (evaluated, trains):
        row, column = np.argmin(abs(to_numpy(plane.y))), np.argmin(abs(to_numpy(plane.x)))
        assert to_numpy(plane.losses)[row, column] == plane.centre


def test_masks_and_rows_stay_the_same_over_the_plane():
    """In training mode with a batch that is the whole set, the plane is that of the next iteration."""
    whole = trained(edits.change_training(START, batch_size=None), 5)
    loss = RunLoss(private_copy(whole.trainer), "all", "training")
    assert [loss.at(loss.centre) for _ in range(3)] == [whole.trainer.differentiate(whole.trainer.rows())] * 3


@pytest.mark.parametrize("place", [(0, 0), (4, 1), (2, 2), (1, 4)])
def test_every_point_is_the_plain_loss_at_those_weights(place):
    timeline = trained()
    plane = finished(PlaneTask("weights", TWO, size=5, points=0), timeline)
    x, y = to_numpy(plane.x)[place[1]], to_numpy(plane.y)[place[0]]
    trainer = private_copy(timeline.trainer)
    tensors = trainer.tensors()
    tensors["h1.weight"][0, 1] = float(np.float32(plane.origin[0] + x))
    tensors["out.bias"][1] = float(np.float32(plane.origin[1] + y))
    trainer.set_tensors(tensors)
    assert to_numpy(plane.losses)[place] == trainer.evaluate(trainer.training_rows)[0]
    assert plane.origin == (timeline.trainer.parameters["h1.weight"][0, 1].item(), timeline.trainer.parameters["out.bias"][1].item())


def test_it_is_coarse_at_first_and_never_another():
    work, levels = Task(loss_plane(PlaneTask("random", points=0), trained())), []
    while not work.is_over:
        work.advance()
        if work.found and (not levels or work.found is not levels[-1]):
            levels.append(work.found)
    assert [(level.stride, to_numpy(level.losses).shape) for level in levels] == [(8, (5, 5)), (4, (11, 11)), (2, (21, 21)), (1, (41, 41))]
    for coarse, fine in pairwise(levels):
        rows = np.isin(to_numpy(fine.y), to_numpy(coarse.y))
        columns = np.isin(to_numpy(fine.x), to_numpy(coarse.x))
        assert np.array_equal(to_numpy(fine.losses)[np.ix_(rows, columns)], to_numpy(coarse.losses))
        assert 0 in to_numpy(coarse.x) and 0 in to_numpy(coarse.y)


def test_a_path_has_a_first_picture_without_any_iteration_made_again():
    timeline = trained(iterations=270)
    work, planes, doing = Task(loss_plane(PlaneTask("path", points=28), timeline)), [], []
    while not work.is_over:
        work.advance()
        doing.append(work.progress.what)
        if work.found and (not planes or work.found is not planes[-1]):
            planes.append(work.found)
            assert len(planes) > 1 or "replaying" not in doing
    assert [plane.stride for plane in planes] == [8, 8, 4, 2, 1]
    first, last = (plane.paths[0] for plane in (planes[0], planes[-1]))
    assert to_numpy(first.iterations).tolist() == [0, 50, 100, 150, 200, 250, 270]
    assert to_numpy(last.iterations).tolist() == list(range(0, 271, 10))
    assert to_numpy(first.losses)[:-1].tolist() == to_numpy(last.losses)[[0, 5, 10, 15, 20, 25]].tolist()


# --- directions ---


def test_random_directions_are_as_long_as_the_rows_of_the_weights():
    """Li et al. 2018; biases, scales, what is frozen and what is locked does not move."""
    frozen = edits.freeze_layer(trained().document, "h2", True)
    locked = replace(frozen, locks={"out.weight": [[0, 0]]})
    loss = RunLoss(private_copy(trained(locked).trainer))
    first, second = (loss.parts(one) for one in random_directions(loss, 3)[1:])
    values = loss.parts(loss.centre.double())
    for direction in (first, second):
        assert torch.allclose(direction["h1.weight"].norm(dim=1), values["h1.weight"].norm(dim=1), rtol=1e-12)
        assert torch.allclose(direction["out.weight"].norm(dim=1), values["out.weight"].norm(dim=1), rtol=1e-12)
        assert not direction["h1.bias"].any() and not direction["h2.weight"].any() and direction["out.weight"][0, 0] == 0
    assert not torch.equal(first["h1.weight"], second["h1.weight"])
    assert torch.equal(random_directions(loss, 3).first, random_directions(loss, 3).first)
    assert not torch.equal(random_directions(loss, 3).first, random_directions(loss, 4).first)


@pytest.mark.parametrize("name", ["cnn", "lstm"])
def test_filters_are_normalised_as_numpy_does_it(name):
    """d ← d/‖d‖·‖θ‖ of every filter, whatever its axes, of the numbers that are drawn; nothing along what has one axis."""
    loss = RunLoss(private_copy(trained(template(name), 2).trainer))
    drawn, found = seeds.stream(5, "random directions"), random_directions(loss, 5)
    for direction in (found.first, found.second):
        numbers = torch.randn(len(loss.centre), generator=drawn, dtype=torch.float64).numpy()
        place = 0
        for parameter in loss.trainer.parameters.values():
            theta = parameter.detach().double().numpy()
            d = numbers[place : place + theta.size].reshape(theta.shape)
            expected = np.zeros_like(theta)
            if theta.ndim > 1:
                for row in range(len(theta)):
                    expected[row] = d[row] / np.linalg.norm(d[row].ravel()) * np.linalg.norm(theta[row].ravel())
            assert direction[place : place + theta.size].numpy() == pytest.approx(expected.ravel(), rel=1e-12, abs=1e-300)
            place += theta.size
        assert place == len(direction)


def straight(document, iterations: int) -> np.ndarray:
    """The parameters of every iteration from 0 on, (iterations + 1, Q), by a run that never goes back."""
    timeline, found = Timeline(document, HERE), []
    for _ in range(iterations + 1):
        found.append(np.concatenate([one.detach().numpy().ravel() for one in timeline.trainer.parameters.values()]))
        timeline.advance()
    return np.array(found, dtype=np.float64)


def test_the_plane_of_the_path_is_that_of_the_svd_and_holds_the_end():
    timeline = trained(iterations=60)
    points = straight(START, 60)
    plane = finished(PlaneTask("path", size=3), timeline)
    (path,) = plane.paths
    assert to_numpy(path.iterations).tolist() == list(range(61))
    _, sizes, directions = np.linalg.svd(points - points.mean(0), full_matrices=False)
    shares = np.cumsum(sizes**2) / np.sum(sizes**2)
    assert plane.shares.about_mean == pytest.approx(shares[:2], rel=1e-9)
    sizes = np.linalg.svd(points - points[-1], compute_uv=False)
    assert plane.shares.about_end == pytest.approx((np.cumsum(sizes**2) / np.sum(sizes**2))[:2], rel=1e-9)
    expected = np.linalg.lstsq(directions[:2].T, (points - points[-1]).T, rcond=None)[0].T
    found = to_numpy(path.coordinates)
    signs = np.sign((found * expected).sum(0))
    assert found == pytest.approx(expected * signs, abs=1e-9)
    rest = np.linalg.norm(points - points[-1] - expected @ directions[:2], axis=1)
    assert to_numpy(path.distances) == pytest.approx(rest, abs=1e-7)
    assert not found[-1].any() and to_numpy(path.distances)[-1] == 0.0
    assert found[-1] @ found[-1] == 0 and found[0, 0] <= 0


def test_the_losses_of_the_path_are_those_the_run_had():
    timeline = trained(iterations=30)
    (path,) = finished(PlaneTask("weights", TWO, size=3, points=4), timeline).paths
    assert to_numpy(path.iterations).tolist() == [0, 10, 20, 30]
    for iteration, loss, (x, y) in zip(*(to_numpy(one) for one in (path.iterations, path.losses, path.coordinates)), strict=True):
        other = trained(iterations=int(iteration)).trainer
        assert loss == other.evaluate(other.training_rows)[0]
        moved = [(other.parameters[one.parameter][one.element] - timeline.trainer.parameters[one.parameter][one.element]) for one in TWO]
        assert (x, y) == pytest.approx(tuple(one.item() for one in moved), abs=1e-6)


def test_a_plane_of_the_path_holds_the_whole_path():
    plane = finished(PlaneTask("path", size=9), trained(iterations=60))
    coordinates = to_numpy(plane.paths[0].coordinates)
    for axis, along in ((plane.x, coordinates[:, 0]), (plane.y, coordinates[:, 1])):
        assert to_numpy(axis).min() < along.min() and along.max() < to_numpy(axis).max() and 0 in to_numpy(axis)


def test_a_random_walk_in_many_dimensions_explains_as_much_as_is_printed_beside():
    wide = edits.change_layer(edits.change_layer(START, "h1", units=300), "h2", units=20)
    plane = finished(PlaneTask("path", size=3, points=100), trained(wide, 100))
    assert plane.shares.random_about_mean == pytest.approx((0.61, 0.76), abs=0.02)
    assert plane.shares.random_about_end == pytest.approx((0.81, 0.90), abs=0.02)


def test_a_run_that_has_not_moved_has_no_path():
    with pytest.raises(BuildError, match="no path"):
        finished(PlaneTask("path"), trained(iterations=0))


def test_one_iteration_is_a_straight_line_on_a_plane():
    plane = finished(PlaneTask("path", size=5), trained(iterations=1))
    assert len(to_numpy(plane.paths[0].iterations)) == 2 and plane.shares.about_mean == pytest.approx((1, 1))
    assert np.ptp(to_numpy(plane.losses)[:, 0]) > 0  # the second direction is a true one


# --- paths over edits, and of other runs ---


def test_the_path_is_made_again_with_the_changes_of_the_run_and_begins_where_the_parameters_do():
    timeline = trained(iterations=20)
    timeline.edit(edits.change_layer(timeline.document, "h2", units=6))
    timeline.go_to(30)
    timeline.edit(edits.choose_optimizer(timeline.document, "sgd"))
    timeline.go_to(35)
    (path,) = finished(PlaneTask("random", size=3), timeline).paths
    assert to_numpy(path.iterations).tolist() == list(range(20, 36))
    assert to_numpy(path.losses)[-1] == timeline.trainer.evaluate(timeline.trainer.training_rows)[0]
    assert to_numpy(path.distances)[-1] == 0.0


def test_several_runs_stand_on_one_plane():
    timeline = trained(iterations=40)
    other = OtherRun("with SGD", RunLog(edits.choose_optimizer(START, "sgd")), 25)
    plane = finished(PlaneTask("path", size=3, others=(other,)), timeline)
    own, second = plane.paths
    assert (own.name, second.name) == ("", "with SGD") and to_numpy(second.iterations)[-1] == 25
    assert to_numpy(own.coordinates)[0] == pytest.approx(to_numpy(second.coordinates)[0])  # the same start
    last = trained(other.log.first, 25).trainer
    assert to_numpy(second.losses)[-1] == last.evaluate(last.training_rows)[0]


@pytest.mark.parametrize("plane", ["path", "random"])
def test_runs_that_cannot_be_drawn_are_left_out_with_the_reason(plane):
    wide = OtherRun("wide", RunLog(edits.change_layer(START, "h1", units=9)), 5)
    broken = OtherRun("broken", RunLog(START.replaced(data=new_choice(DATASETS, "csv", path="nowhere.csv"))), 5)
    same = OtherRun("same", RunLog(START), 5)
    found = finished(PlaneTask(plane, size=3, others=(wide, broken, same)), trained())
    assert [path.name for path in found.paths] == ["", "same"] and [name for name, _ in found.left_out] == ["wide", "broken"]
    assert found.left_out[0][1] == "It never has the parameters of this run." and "nowhere.csv" in found.left_out[1][1]


def test_a_stretch_of_the_path_can_be_chosen():
    (path,) = finished(PlaneTask("path", size=3, start=52, points=5), trained(iterations=60)).paths
    assert to_numpy(path.iterations).tolist() == [52, 54, 56, 58, 60]


# --- what is none ---


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (PlaneTask("weights", TWO[:1]), "two different"),
        (PlaneTask("weights", (TWO[0], TWO[0])), "two different"),
        (PlaneTask("weights", (TWO[0], WeightPlace("no", ()))), "No parameter"),
        (PlaneTask("weights", (TWO[0], WeightPlace("out.bias", (2,)))), "no element"),
        (PlaneTask("random", size=2), "3 to 201"),
        (PlaneTask("sideways"), "no plane"),
        (PlaneTask("random", reach=0.0), "cannot reach 0"),
        (PlaneTask("random", reach=float("nan")), "cannot reach nan"),
        (PlaneTask("path", start=-1), "no iteration -1"),
        (PlaneTask("random", rows="some"), "no rows"),
    ],
)
def test_what_is_no_plane_is_refused(task, said):
    with pytest.raises(BuildError, match=said):
        finished(task, trained())


def test_losses_that_are_not_finite_are_told_as_they_are():
    document = experiment(data=new_choice(DATASETS, "moons", samples=60, noise=0.1), batch_size=None, l2=1.0)
    plane = finished(PlaneTask("weights", TWO, size=3, reach=1e38, points=0), trained(document, 3))
    assert np.isinf(to_numpy(plane.losses)[0, 0]) and np.isfinite(plane.centre)
