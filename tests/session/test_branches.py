"""Branches without an engine: the test plays it."""

from __future__ import annotations

import pytest

from nnviz import messages
from nnviz.document import edits
from nnviz.document.store import files, saved_run
from nnviz.records.run_records import CurvePoint
from nnviz.session.session import Session
from tests.curve_points import travelling
from tests.session.sessions import ListWire, Stage, two_moons


def rate(stage: Stage) -> float:
    return stage.session.experiment.training.optimizer["learning_rate"]


def edit_rate(stage: Stage, value: float) -> None:
    assert stage.session.edit("Rate", edits.set_value, "training.optimizer.learning_rate", str(value))


def train_to(stage: Stage, iteration: int) -> None:
    stage.session.training.train()
    for number in range(stage.session.run.iteration + 1, iteration + 1):
        stage.frame(number)
    stage.trained(iteration, "asked")


def go_back(stage: Stage, iteration: int) -> None:
    stage.session.training.go_to(iteration)
    stage.reply(messages.Moved(iteration, 0, travelling(*(CurvePoint(at, 1.0 / (1 + at)) for at in range(iteration + 1)))))


@pytest.fixture
def trained(stage) -> Stage:
    """A run that was trained to iteration 9 and stands at 4."""
    stage.stand()
    train_to(stage, 9)
    go_back(stage, 4)
    stage.wire.take()
    return stage


def names(stage: Stage) -> list[str]:
    return [branch.name for branch in stage.session.branches.all]


def test_going_back_forgets_nothing(trained):
    run = trained.session.run
    assert run.curves.iteration.tolist() == [0, 1, 2, 3, 4] and run.ahead.iteration.tolist() == [5, 6, 7, 8, 9]
    assert (run.iteration, run.reached) == (4, 9) and names(trained) == ["main"]
    train_to(trained, 6)
    assert trained.session.run.ahead.iteration.tolist() == [7, 8, 9] and trained.session.run.reached == 9
    train_to(trained, 11)
    assert trained.session.run.ahead.iteration.size == 0 and trained.session.run.reached == 11


def on_its_way_back(stage: Stage) -> None:
    """From iteration 9, with nothing ahead, to 2: the engine has said that it stands at 1."""
    go_back(stage, 9)
    stage.session.training.go_to(2)
    stage.reply(messages.Frame(99, stage.session.run.revision, 1, 0, 0.01))


def test_on_its_way_back_a_run_has_come_as_far_as_before(trained):
    on_its_way_back(trained)
    assert trained.session.run.iteration == 1 and trained.session.branches.present.reached == 9
    edit_rate(trained, 0.5)
    assert names(trained) == ["main", "branch 2"] and trained.session.branches.kept[0].branch.reached == 9, "nothing is dropped"


def test_an_engine_that_dies_on_the_way_back_takes_nothing_with_it(trained):
    on_its_way_back(trained)
    trained.session.link.lost("It crashed.")
    trained.reply(messages.Ready("2.13.0"))
    trained.opened(iteration=1)
    assert trained.session.run.ahead.iteration.tolist() == list(range(2, 10)) and trained.session.branches.present.reached == 9


def test_a_run_whose_making_again_is_cancelled_still_lies_ahead(trained):
    go_back(trained, 9)
    trained.session.link.lost("It crashed.")
    trained.reply(messages.Ready("2.13.0"))
    trained.session.link.break_off()
    trained.reply(messages.Ready("2.13.0"))
    trained.opened(iteration=0)
    assert trained.session.run.iteration == 0 and trained.session.branches.present.reached == 9


def test_an_edit_in_the_past_starts_a_branch_and_says_so(trained):
    edit_rate(trained, 0.5)
    trained.opened(new_run=False, iteration=4)
    branches = trained.session.branches
    assert names(trained) == ["main", "branch 2"]
    assert branches.kept[0].branch.reached == 9 and branches.kept[0].curves.iteration.tolist() == list(range(10))
    assert branches.present.reached == 4 and trained.session.run.ahead.iteration.size == 0
    assert branches.present.color != branches.kept[0].branch.color
    assert "What came after iteration 4 stays as main; from here on this is branch 2." in trained.texts


def test_an_edit_at_the_end_of_a_run_starts_none(trained):
    go_back(trained, 9)
    edit_rate(trained, 0.5)
    trained.opened(new_run=False, iteration=9)
    assert names(trained) == ["main"]


def test_what_changes_no_run_starts_none(trained):
    assert trained.session.edit("Title", edits.set_title, "Another")
    assert names(trained) == ["main"] and trained.session.run.reached == 9


def test_an_undo_before_anything_was_trained_is_the_former_branch_again(trained):
    edit_rate(trained, 0.5)
    trained.opened(new_run=False, iteration=4)
    trained.session.document.undo()
    trained.opened(new_run=False, iteration=4)
    assert names(trained) == ["main"] and trained.session.run.reached == 9
    assert trained.session.run.ahead.iteration.tolist() == [5, 6, 7, 8, 9]


def test_going_to_another_branch_and_back(trained):
    edit_rate(trained, 0.5)
    trained.opened(new_run=False, iteration=4)
    train_to(trained, 6)
    trained.wire.take()
    trained.session.branches.go_to("main")
    (request,) = trained.wire.of(messages.Open)
    assert (request.iteration, request.log.changes) == (9, ()) and rate(trained) == 0.01
    assert trained.session.run.curves.iteration.tolist() == list(range(10)), "its curves are there at once"
    trained.opened(iteration=9)
    assert names(trained) == ["branch 2", "main"] and trained.session.link.is_up_to_date
    trained.session.branches.go_to("branch 2", 5)
    assert trained.wire.of(messages.Open)[-1].iteration == 5 and rate(trained) == 0.5
    trained.opened(iteration=5)
    assert trained.session.run.ahead.iteration.tolist() == [6] and trained.session.run.reached == 6


def test_the_document_of_another_branch_is_nothing_that_undo_knows(trained):
    edit_rate(trained, 0.5)
    trained.opened(new_run=False, iteration=4)
    train_to(trained, 5)
    trained.session.branches.go_to("main")
    trained.opened(iteration=9)
    assert len(trained.wire.of(messages.Edit)) == 1 and not trained.session.document.history.can_redo


def test_other_data_leaves_the_run_as_a_branch(trained):
    go_back(trained, 9)
    assert trained.session.edit("Seed", edits.set_seed, 99)
    trained.opened(new_run=True)
    assert names(trained) == ["main", "branch 2"] and trained.session.run.reached == 0
    assert "The run so far stays as main; this one is branch 2." in trained.texts


def test_other_data_in_the_past_of_a_run_leaves_it_once(trained):
    """What is forked off because more lies ahead is not forked off again because the run begins anew."""
    assert trained.session.edit("Seed", edits.set_seed, 99)
    trained.opened(new_run=True)
    assert reached(trained) == {"main": 9, "branch 2": 0}
    trained.session.document.undo()
    trained.opened(new_run=True)
    assert reached(trained) == {"main": 9}
    trained.session.document.redo()
    trained.opened(new_run=True)
    assert reached(trained) == {"main": 9, "branch 2": 0}


def test_starting_over_goes_back_where_nothing_was_changed(trained):
    trained.session.branches.start_over()
    assert trained.wire.of(messages.GoTo)[-1].iteration == 0 and names(trained) == ["main"]


def test_starting_over_with_changes_keeps_the_run(stage):
    stage.stand()
    train_to(stage, 5)
    edit_rate(stage, 0.5)
    stage.opened(new_run=False, iteration=5)
    train_to(stage, 7)
    stage.session.branches.start_over()
    stage.opened()
    assert names(stage) == ["main", "branch 2"] and stage.session.run.reached == 0
    assert stage.session.link.log.first.training.optimizer["learning_rate"] == 0.5 and stage.session.link.log.changes == ()


def test_a_branch_gets_another_name_unless_it_is_taken(trained):
    edit_rate(trained, 0.5)
    branches = trained.session.branches
    assert branches.rename("main", " too slow ") and names(trained) == ["too slow", "branch 2"]
    assert not branches.rename("branch 2", "too slow") and not branches.rename("branch 2", "  ")
    assert branches.rename("branch 2", "half") and names(trained) == ["too slow", "half"]


def test_a_branch_gets_another_colour_and_the_one_that_had_it_the_former(trained):
    edit_rate(trained, 0.5)
    branches, colors = trained.session.branches, lambda: {branch.name: branch.color for branch in trained.session.branches.all}
    assert colors() == {"main": 0, "branch 2": 1}
    branches.recolor("branch 2", 0)
    assert colors() == {"main": 1, "branch 2": 0}
    branches.recolor("main", 5)
    branches.recolor("nowhere", 0)
    assert colors() == {"main": 5, "branch 2": 0}


def test_a_branch_can_be_forgotten_but_not_the_present_one(trained):
    edit_rate(trained, 0.5)
    trained.session.branches.remove("branch 2")
    assert names(trained) == ["main", "branch 2"]
    trained.session.branches.remove("main")
    assert names(trained) == ["branch 2"]


def test_another_document_has_branches_of_its_own(trained):
    edit_rate(trained, 0.5)
    trained.session.document.new(two_moons(3))
    assert trained.session.branches.kept == ()


def test_branches_are_kept_with_the_document(trained, tmp_path):
    edit_rate(trained, 0.5)
    trained.opened(new_run=False, iteration=4)
    train_to(trained, 6)
    trained.session.branches.rename("main", "slow")
    path = tmp_path / "branches.nnviz"
    assert trained.session.document.save_as(path) and trained.session.is_saved
    saved = saved_run.decode(files.part(path, saved_run.PART))
    assert [one.branch.name for one in saved.branches] == ["slow"] and saved.name == "branch 2"
    again = Session(ListWire(), files.load(path), path, autosaves=False)
    again.document.open(path)
    (kept,) = again.branches.kept
    assert kept.branch.name == "slow" and kept.branch.reached == 9 and kept.curves.iteration.tolist() == list(range(10))
    again.close()
    trained.session.branches.remove("slow")
    assert not trained.session.is_saved


@pytest.fixture
def reopened(trained, tmp_path) -> Stage:
    """A document with two branches, main to 9 and branch 2, changed at 4, to 6; opened again, with the engine up."""
    edit_rate(trained, 0.5)
    trained.opened(new_run=False, iteration=4)
    train_to(trained, 6)
    path = tmp_path / "branches.nnviz"
    assert trained.session.document.save_as(path) and trained.session.document.open(path)
    trained.opened()
    trained.traced(0)
    trained.wire.take()
    trained.messages.clear()
    return trained


def reached(stage: Stage) -> dict[str, int]:
    return {branch.name: branch.reached for branch in stage.session.branches.all}


def test_opened_again_each_branch_stays_itself(reopened):
    """Though the run stands at its start, with which another branch begins."""
    assert reached(reopened) == {"main": 9, "branch 2": 0} and reopened.session.is_saved
    reopened.session.kept_run.resume()
    reopened.opened()
    reopened.reply(messages.Moved(6, 0, travelling(CurvePoint(6, 1 / 7))))
    assert reached(reopened) == {"main": 9, "branch 2": 6} and reopened.session.is_saved


def test_what_was_not_made_again_stays_a_branch_when_a_person_goes_to_another(reopened):
    session = reopened.session
    session.branches.go_to("main")
    reopened.opened(iteration=9)
    assert reached(reopened) == {"branch 2": 6, "main": 9} and session.kept_run.saved is None
    assert session.branches.kept[0].curves.iteration.tolist() == list(range(7)), "its curves are there, too"
    session.branches.go_to("branch 2")
    assert [(request.iteration, len(request.log.changes)) for request in reopened.wire.of(messages.Open)] == [(9, 0), (6, 1)]
    assert session.kept_run.saved is None and reopened.texts == []


def test_an_edit_before_it_was_made_again_keeps_it(reopened):
    edit_rate(reopened, 0.25)
    reopened.opened(new_run=False)
    assert reached(reopened) == {"main": 9, "branch 2": 6, "branch 3": 0}
    assert reopened.texts == ["What came after iteration 0 stays as branch 2; from here on this is branch 3."]


def test_training_another_run_than_was_saved_keeps_that(reopened):
    """The document as it is now was in force from iteration 4 on only: from the start it is another run."""
    train_to(reopened, 2)
    assert reached(reopened) == {"main": 9, "branch 2": 6, "branch 3": 2} and rate(reopened) == 0.5
    assert reopened.texts == ["What the document was saved with stays as branch 2; this run is branch 3."]


def test_what_lay_ahead_when_it_was_saved_is_made_again_before_it_is_gone_back(stage, tmp_path):
    stage.stand()
    train_to(stage, 9)
    go_back(stage, 4)
    path = tmp_path / "past.nnviz"
    assert stage.session.document.save_as(path) and stage.session.document.open(path)
    stage.opened()
    stage.traced(0)
    stage.session.kept_run.resume()
    assert stage.wire.of(messages.GoTo)[-1].iteration == 9
    stage.reply(messages.Moved(9, 0, travelling(*(CurvePoint(at, 1.0 / (1 + at)) for at in range(10)))))
    assert stage.wire.of(messages.GoTo)[-1].iteration == 4
    stage.reply(messages.Moved(4, 0, travelling(*(CurvePoint(at, 1.0 / (1 + at)) for at in range(5)))))
    assert (stage.session.run.iteration, reached(stage)) == (4, {"main": 9}) and stage.session.is_saved


def test_training_the_same_run_again_is_no_other_branch(stage, tmp_path):
    stage.stand()
    train_to(stage, 5)
    path = tmp_path / "one.nnviz"
    assert stage.session.document.save_as(path) and stage.session.document.open(path)
    stage.opened()
    stage.traced(0)
    train_to(stage, 3)
    assert reached(stage) == {"main": 3} and stage.session.kept_run.saved is not None
    edit_rate(stage, 0.5)
    stage.opened(new_run=False, iteration=3)
    assert reached(stage) == {"main": 5, "branch 2": 3}, "what was saved is not dropped"


def test_a_branch_that_is_the_beginning_of_another_stays_itself_when_it_is_gone_to(trained):
    trained.session.branches.add([("short", trained.session.link.log)])
    trained.session.branches.go_to("short")
    trained.opened()
    assert names(trained) == ["main", "short"] and trained.session.branches.present.name == "short"
    assert trained.session.branches.kept[0].branch.reached == 9
