"""The learning-rate range test: against a plain training loop of torch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from nnviz.document import edits
from nnviz.document.catalog import SCHEDULES, new_choice
from nnviz.document.store.examples import open_document
from nnviz.engine.errors import BuildError
from nnviz.engine.run.position import next_rows
from nnviz.engine.run.range_test import SIGMAS, _steepness, debiased, range_test, rates
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import Trainer, digest
from nnviz.engine.tasks import Task
from nnviz.records.task_records import RangeTest, RangeTestTask
from nnviz.records.tensors import to_numpy
from tests.engine.experiments import HERE, experiment, mlp
from tests.engine.flat_runs import differences, state

PLAIN = experiment(mlp(p=0.0), optimizer="sgd", batch_size=16, precision="float64")


def trained(document=PLAIN, iterations: int = 10) -> Trainer:
    timeline = Timeline(document, HERE)
    timeline.go_to(iterations)
    return timeline.trainer


def finished(trainer: Trainer, task: RangeTestTask | None = None) -> RangeTest:
    work = Task(range_test(task or RangeTestTask(), trainer))
    while not work.is_over:
        work.advance()
    return work.found


def test_the_rates_grow_by_the_same_factor():
    found = rates(RangeTestTask(1e-4, 1.0, 5))
    assert found == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1.0], rel=1e-12)


def test_every_loss_stands_beside_the_rate_whose_update_came_before_it():
    """A plain loop: the loss of iteration i + 1 is what rate i has done."""
    trainer, task = trained(iterations=7), RangeTestTask(1e-3, 1.0, 12, 1)
    found, losses = finished(trainer, task), []
    assert trainer.position == (7, 2, 16)
    position, rows = trainer.position, trainer.training_rows
    for rate in [*rates(task), 0.0]:
        taken = next_rows(trainer.experiment.seed, position, rows.count, 16)
        loss = trainer.loss(trainer.net(rows.x[taken]), rows.targets[taken])
        gradients = torch.autograd.grad(loss, list(trainer.parameters.values()))
        with torch.no_grad():
            for parameter, gradient in zip(trainer.parameters.values(), gradients, strict=True):
                parameter -= rate * gradient
        losses.append(loss.item())
        position = position.after(len(taken), rows.count)
    assert found.start == pytest.approx(losses[0], rel=1e-12)
    assert to_numpy(found.losses)[0] == pytest.approx(losses[1:], rel=1e-9)
    assert to_numpy(found.smoothed)[0] == pytest.approx(debiased(losses)[1:], rel=1e-9)


def test_the_mean_is_debiased():
    weights = 0.98 ** np.arange(3)[::-1]
    assert debiased([3.0, 1.0, 2.0])[-1] == pytest.approx((weights @ [3.0, 1.0, 2.0]) / weights.sum())
    assert debiased([5.0] * 40) == pytest.approx(np.full(40, 5.0))


def test_slopes_are_by_the_logarithm_and_the_band_is_where_it_falls_fastest():
    found = finished(trained(iterations=0), RangeTestTask(seeds=3))
    every = to_numpy(found.rates)
    for smoothed, slopes, steepest, lowest in zip(
        *(to_numpy(one) for one in (found.smoothed, found.slopes, found.steepest, found.lowest)), strict=True
    ):
        k = int(np.searchsorted(every, steepest))
        assert slopes[k] == pytest.approx((smoothed[k + 5] - smoothed[k - 5]) / math.log(every[k + 5] / every[k - 5]), rel=1e-9)
        assert steepest <= lowest and slopes[k] == np.nanmin(slopes[every <= lowest]) < 0 and np.isnan(slopes[:10]).all()
        assert lowest == every[np.nanargmin(smoothed)]
    assert found.low == to_numpy(found.steepest).min() and found.high == to_numpy(found.steepest).max()
    assert len({row.tobytes() for row in to_numpy(found.losses)}) == 3  # each seed has other rows


def test_it_stops_at_four_times_the_best():
    quick = edits.change_training(PLAIN, loss="mse")
    found = finished(trained(quick), RangeTestTask(1e-3, 1e6, 60, 2))
    for losses, smoothed in zip(to_numpy(found.losses), to_numpy(found.smoothed), strict=True):
        made = np.isfinite(smoothed).sum()
        best = np.minimum.accumulate(smoothed[:made])
        assert 0 < made < 60 and np.isnan(losses[made:]).all()
        assert (smoothed[: made - 1] <= 4 * best[: made - 1]).all()


@pytest.mark.parametrize("batch_size", [4, 16])
@pytest.mark.parametrize("iterations", [0, 300])
def test_of_noise_no_rate_is_suggested(batch_size, iterations):
    """At such rates nothing is learnt: all that the losses do is what the batches do."""
    trainer = trained(edits.change_training(experiment(batch_size=batch_size)), iterations)
    found = finished(trainer, RangeTestTask(1e-12, 1e-10, seeds=9))
    assert found.low is found.high is None and found.is_noise == np.isfinite(to_numpy(found.steepest)).any()
    assert (np.nan_to_num(to_numpy(found.falls)) >= SIGMAS).sum() < 5


@pytest.mark.parametrize("name", ["moons", "spiral", "sine", "wine"])
def test_at_the_start_of_training_a_rate_is_suggested(name):
    found = finished(trained(open_document(f"example:{name}"), 0))
    assert 1e-4 < found.low <= found.high < 5 and not found.is_noise
    clear = to_numpy(found.falls) >= SIGMAS
    assert clear.sum() >= 3 and found.low == to_numpy(found.steepest)[clear].min()


def test_the_steepness_of_noise_is_that_of_a_standard_normal():
    """White noise of any size, and the slope at one place: its mean is 0, its deviation 1."""
    task, chance = RangeTestTask(seeds=1), np.random.default_rng(0)
    every, found = rates(task), []
    for _ in range(400):
        losses = 3.0 + 0.7 * chance.normal(size=task.iterations + 1)
        smoothed = debiased(losses.tolist())[1:]
        slope = (smoothed[65] - smoothed[55]) / math.log(every[65] / every[55])
        found.append(_steepness(every, losses[1:], np.full(task.iterations, slope), every[60], every[-1]))
    assert abs(np.mean(found)) < 0.2 and np.std(found) == pytest.approx(1.0, abs=0.12)


def test_a_loss_that_only_grows_has_no_band():
    uphill = edits.change_optimizer(edits.change_training(PLAIN, batch_size=None), maximize=True)
    found = finished(trained(uphill, 0), RangeTestTask(iterations=20, seeds=1))
    assert found.low is found.high is None and np.isnan(to_numpy(found.steepest)).all()


def test_schedule_and_early_stopping_of_the_run_play_no_part():
    other = edits.change_training(PLAIN, early_stopping=1)
    other = replace(other, training=replace(other.training, schedule=new_choice(SCHEDULES, "cosine")))
    task = RangeTestTask(iterations=30, seeds=1)
    assert to_numpy(finished(trained(other, 0), task).losses).tolist() == to_numpy(finished(trained(PLAIN, 0), task).losses).tolist()


@pytest.mark.parametrize("iterations", [0, 7, 45])
def test_the_run_does_not_notice(iterations):
    """Adam, dropout, early stopping: all is as it was, the generator too, and it goes on as if nothing had been."""
    document = experiment(batch_size=16, early_stopping=50)
    tested, left = Timeline(document, HERE), Timeline(document, HERE)
    for timeline in (tested, left):
        timeline.go_to(iterations)
    before, points, generator = digest(tested.trainer.net), list(tested.points), torch.get_rng_state()
    found = finished(tested.trainer, RangeTestTask(1e-4, 10.0, 40, 2))
    assert np.isfinite(to_numpy(found.losses)).any()
    assert digest(tested.trainer.net) == before and tested.points == points and torch.equal(torch.get_rng_state(), generator)
    for timeline in (tested, left):
        timeline.go_to(iterations + 20)
    assert differences(state(tested), state(left)) == []


@pytest.mark.parametrize("task", [RangeTestTask(0.0), RangeTestTask(1.0, 0.1), RangeTestTask(iterations=2), RangeTestTask(seeds=0)])
def test_what_is_no_test_is_refused(task):
    with pytest.raises(BuildError):
        range_test(task, trained())
