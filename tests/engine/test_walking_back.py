"""Going back one iteration after another: exact, and with little of the run made again for each."""

from __future__ import annotations

import pytest

from nnviz.document import edits
from nnviz.engine.run import checkpoints
from nnviz.engine.run.timeline import Timeline
from tests.engine.experiments import HERE, experiment
from tests.engine.test_timeline import state

START = experiment(batch_size=16)


@pytest.fixture
def made(monkeypatch):
    """How many iterations are made, one entry for each time some are."""
    advance, counts = Timeline.advance, []

    def counted(self, *arguments, **options):
        before = self.iteration
        stop = advance(self, *arguments, **options)
        counts.append(self.iteration - before)
        return stop

    monkeypatch.setattr(Timeline, "advance", counted)
    return counts


@pytest.mark.parametrize(("end", "steps", "most"), [(100, 50, 3), (99, 50, 3), (120, 120, 3), (50, 50, 3), (4, 4, 3), (2000, 300, 3)])
def test_a_walk_back_makes_few_iterations_again(made, end, steps, most):
    timeline = Timeline(START, HERE)
    timeline.go_to(end)
    made.clear()
    for iteration in range(end - 1, end - steps - 1, -1):
        timeline.go_to(iteration)
        assert timeline.iteration == iteration
    assert sum(made) <= most * steps


def test_where_checkpoints_are_far_apart_a_walk_back_is_short_all_the_same(made, monkeypatch):
    monkeypatch.setattr(checkpoints, "SPACING", 1000)
    timeline = Timeline(START, HERE)
    timeline.go_to(900)
    made.clear()
    for iteration in range(899, 799, -1):
        timeline.go_to(iteration)
    assert sum(made) <= 900 + 2 * 100


@pytest.mark.parametrize("count", [7, 3, 1])
def test_with_room_for_few_states_a_walk_back_makes_a_little_more_again(made, monkeypatch, count):
    timeline = Timeline(START, HERE)
    timeline.go_to(100)
    made.clear()
    monkeypatch.setattr(checkpoints, "WALKED", count)
    for iteration in range(99, 50, -1):
        timeline.go_to(iteration)
    assert sum(made) <= {7: 3, 3: 5, 1: 25}[count] * 50


def test_every_iteration_of_a_walk_back_is_exact():
    timeline = Timeline(START, HERE)
    seen = {0: state(timeline)}
    for iteration in range(1, 131):
        if iteration in (40, 97):
            timeline.edit(edits.change_optimizer(timeline.document, learning_rate=0.1 / iteration))
            seen[iteration - 1] = state(timeline)
        timeline.advance()
        seen[iteration] = state(timeline)
    for iteration in (*range(129, 80, -1), 90, *range(89, 30, -1), 2, 1, 0, 130, 129, 128):
        timeline.go_to(iteration)
        assert state(timeline) == seen[iteration]


def test_after_an_edit_the_states_behind_it_are_gone():
    """Back to 70, then 60, an edit there, forward: the run is that of the edit, whatever was kept on the way."""
    other = edits.change_optimizer(START, learning_rate=0.3)
    straight = Timeline(START, HERE)
    straight.go_to(60)
    straight.edit(other)
    straight.go_to(80)
    walking = Timeline(START, HERE)
    walking.go_to(99)
    walking.go_to(90)
    walking.go_to(80)
    walking.go_to(60)
    walking.edit(other)
    walking.go_to(90)
    walking.go_to(80)
    assert state(walking) == state(straight)


def test_a_large_state_is_not_kept(monkeypatch, made):
    monkeypatch.setattr(checkpoints, "BUDGET", 1)
    timeline = Timeline(START, HERE)
    timeline.go_to(40)
    made.clear()
    for iteration in (39, 38, 37):
        timeline.go_to(iteration)
    assert sum(made) == 39 + 38 + 37
