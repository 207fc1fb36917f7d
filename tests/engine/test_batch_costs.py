"""The sizes that are measured, the memory that autograd keeps, and a run that stays as it is."""

from __future__ import annotations

import pytest

from nnviz.engine.observe.batch_costs import FEWEST, batch_costs
from nnviz.engine.run.trainer import digest
from nnviz.jobs.comparing import finished
from nnviz.records.task_records import BatchCostTask
from tests.engine.runs_of_examples import trained

QUICK = BatchCostTask(iterations=6, seconds=0.05)


def test_sizes_and_updates_and_a_run_that_stays_as_it_is():
    trainer = trained("moons", 20).trainer
    before, position = digest(trainer.net), trainer.position
    found = finished(batch_costs(QUICK, trainer))
    assert [cost.size for cost in found.costs] == [1, 4, 16, 32, 64, 256, 350] and found.present == 32
    assert [cost.updates for cost in found.costs] == [350, 88, 22, 11, 6, 2, 1]
    assert all(cost.seconds > 0 and cost.measured >= FEWEST and cost.epoch == cost.updates * cost.seconds for cost in found.costs)
    assert digest(trainer.net) == before and trainer.position == position


def test_batch_normalisation_needs_two_rows():
    assert finished(batch_costs(QUICK, trained("batch_norm", 2).trainer)).costs[0].size == 2


def test_what_is_kept_is_counted_by_hand():
    """Moons: both outputs of ReLU, which the next product takes too, log p, and the total weight of cross-entropy."""
    one, four = finished(batch_costs(QUICK, trained("moons", 2).trainer)).costs[:2]
    assert one.memory == 4 * (4 + 4 + 2) + 4 and four.memory == 4 * one.memory - 3 * 4


def test_no_size_diverges():
    found = finished(batch_costs(QUICK, trained("moons", 2, optimizer="sgd", rate=1e4).trainer))
    assert all(cost.measured >= FEWEST for cost in found.costs)


def test_all_rows_at_once_are_present():
    found = finished(batch_costs(QUICK, trained("batch_size", 2, batch_size="none").trainer))
    assert found.present == found.costs[-1].size == pytest.approx(210) and found.costs[-1].updates == 1
