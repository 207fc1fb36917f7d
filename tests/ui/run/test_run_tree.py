"""The branches of a run as they are drawn: order, lines, flags, stops, what plots show of them. No window."""

from dataclasses import replace
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from nnviz.document import edits
from nnviz.document.run_branches import Branch
from nnviz.document.run_log import RunLog
from nnviz.session.branches import KeptBranch
from nnviz.session.run import RunState
from nnviz.ui.run.bar_places import BarPlaces, bar_height, rows_in
from nnviz.ui.run.run_tree import Flag, SelfStop, flags_of, grown, surroundings, told
from tests.session.sessions import two_moons
from tests.ui import runs

pytestmark = pytest.mark.usefixtures("qapp")  # text has no width without

START = two_moons()
SLOW = edits.change_training(START, dropout=False)
FLAT = edits.change_training(START, l2=0.1)
MAIN = RunLog(START).changed(30, SLOW)
OTHER = RunLog(START).changed(20, FLAT)
THIRD = OTHER.changed(40, SLOW)


def kept(name, color, log, iterations):
    return KeptBranch(Branch(name, color, log, iterations), RunState(iteration=iterations, curves=runs.curves(iterations)))


def tree(present=None, stands=0, **more):
    present = present or Branch("branch 2", 1, OTHER, 60)
    return grown(present, (kept("third", 2, THIRD, 50), kept("main", 0, MAIN, 100)), stands, **more)


def test_lines_stand_in_the_order_of_their_colours_whichever_is_present():
    assert [(line.name, line.parent, line.start, line.is_present) for line in tree().lines] == [
        ("main", None, 0, False),
        ("branch 2", 0, 20, True),
        ("third", 1, 40, False),
    ]
    others = (kept("third", 2, THIRD, 50), kept("branch 2", 1, OTHER, 60))
    assert [line.name for line in grown(Branch("main", 0, MAIN, 100), others).lines] == ["main", "branch 2", "third"]


def test_the_ninth_branch_stands_last_though_it_has_the_first_colour():
    found = grown(Branch("main", 0, MAIN, 100), (kept("ninth", 8, THIRD, 50), kept("branch 2", 1, OTHER, 60)))
    assert [line.name for line in found.lines] == ["main", "branch 2", "ninth"]


def test_the_same_run_made_further_leaves_the_present_one_where_that_ends():
    found = grown(Branch("main", 0, MAIN, 60), (kept("further", 1, MAIN, 200),))
    where = BarPlaces(found, 60, 1000.0, 56.0)
    assert where.extent(1) == (60, 200) and BarPlaces(found, 90, 1000.0, 56.0).extent(1) == (90, 200)


def test_the_present_run_stands_on_the_line_of_what_it_comes_from():
    found = tree()
    assert found.path() == (1, 0)
    assert [found.owner(iteration) for iteration in (0, 19, 20, 60)] == [0, 0, 1, 1]
    assert found.is_shared(0, 20)
    assert not found.is_shared(0, 21)
    assert not found.is_shared(2, 10)


def test_a_branch_the_engine_does_not_know_yet_begins_where_the_run_stands():
    found = grown(Branch("branch 2", 1, MAIN, 100), (kept("main", 0, MAIN, 100),), 70)
    assert found.lines[1].start == 70


def test_without_a_run_there_is_no_present_line():
    assert grown(None, ()).present is None
    assert surroundings(grown(None, ())).flags == ()


def test_changes_at_one_iteration_are_one_flag():
    log = RunLog(START).changed(5, SLOW).changed(5, edits.change_training(SLOW, l2=0.1)).changed(9, START)
    assert flags_of(log) == (
        Flag(5, "iteration 5: L2 0 → 0.1; dropout on → off"),
        Flag(9, "iteration 9: L2 0.1 → 0; dropout off → on"),
    )


def test_what_a_change_has_cost_the_training_is_told_with_it_but_not_at_the_start():
    sgd = edits.choose_optimizer(START, "sgd")
    first, later = (flags_of(RunLog(START).changed(iteration, sgd))[0].text for iteration in (0, 20))
    assert later.splitlines() == [first.replace("iteration 0", "iteration 20"), "SGD starts without what Adam remembered."]


def test_a_stop_is_there_in_every_run_that_is_the_same_up_to_it():
    early, late = SelfStop(Flag(10, "early"), MAIN), SelfStop(Flag(90, "late"), MAIN)
    assert [[stop.text for stop in line.stops] for line in tree(stops=(early, late)).lines] == [["early", "late"], ["early"], ["early"]]


def test_plots_show_of_other_branches_what_is_their_own():
    around = surroundings(tree())
    assert [flag.iteration for flag in around.flags] == [20]
    assert [(ghost.name, ghost.color, int(ghost.curves.iteration[0])) for ghost in around.ghosts] == [("main", 0, 20), ("third", 2, 40)]
    assert surroundings(tree(), with_ghosts=False).ghosts == ()


def test_on_its_way_back_a_run_has_not_lost_what_it_knew():
    run = RunState(iteration=80, curves=runs.curves(80))
    assert replace(run, iteration=16, target=20).reached == 80
    assert run.reached == 80


def test_what_is_told_of_an_iteration():
    curves = replace(runs.curves(40), loss=np.linspace(1, 0.6, 40))
    run = RunState(iteration=40, curves=curves)
    line = grown(Branch("main", 0, MAIN, 40), ()).lines[0]
    assert told(line, run, 40, True) == "iteration 40 · loss 0.6000\nAdam · learning rate 0.01 · batch 32"
    assert told(line, run, 1, False).startswith("main · iteration 1 · loss 1\n")
    assert told(line, run, 0, True).startswith("iteration 0\n")


# --- places ---


def places(**changes):
    return BarPlaces(tree(), 60, 1000.0, 56.0, **changes)


def test_time_is_to_scale_and_ticks_are_round():
    where = places()
    assert where.limit == 100
    assert [where.iteration(where.x(iteration)) for iteration in (0, 1, 37, 100)] == [0, 1, 37, 100]
    assert (where.iteration(-50), where.iteration(5000)) == (0, 100)
    assert where.reachable(where.x(90)) == 60
    assert where.ticks() == list(range(0, 101, 10))
    assert where.epochs(11) == list(range(11, 100, 11))
    assert where.epochs(1) == []


def test_a_long_run_has_few_ticks():
    branch = Branch("main", 0, RunLog(START), 0)
    where = BarPlaces(grown(branch, ()), 98_765, 1000.0, 32.0)
    assert where.limit == 100_000
    assert where.ticks() == list(range(0, 100_001, 10_000))
    assert where.epochs(11) == []
    boxes = [where.tick_box(tick) for tick in where.ticks()]
    assert all(left.right() < right.left() for left, right in pairwise(boxes))
    assert where.tick_box(100_000, "100,000").right() <= 1000


def test_long_names_leave_the_lines_most_of_the_width():
    log = RunLog(START)
    one = msgspec.structs.replace(Branch("main", 0, log, 10), name="x" * 200)
    where = BarPlaces(grown(one, (kept("other", 1, OTHER, 60),)), 10, 1000.0, 44.0)
    assert where.right > 800
    assert where.name_box(0).right() <= 1000


def test_rows_follow_the_height_of_the_window():
    assert [rows_in(height) for height in (600, 720, 800, 1000)] == [1, 2, 4, 8]
    assert bar_height(1) == 34
    assert bar_height(4) == 70
    assert places(rows=2).shown == range(0, 2)
    assert places(rows=2, first=1).shown == range(1, 3)
    where = places(rows=2, first=1)
    assert where.y(0) < where.y(1) < where.y(2)
