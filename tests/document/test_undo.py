"""Undo and redo."""

from __future__ import annotations

from inspect import isfunction
from random import Random

from nnviz.document import edits
from nnviz.document.store import files
from nnviz.document.undo import UndoHistory
from tests.document.documents import experiment, random_edit


def titled(title):
    return edits.set_title(experiment(), title)


def history(*titles):
    past = UndoHistory.start(experiment())
    for title in titles:
        past = past.push(f"Call it {title}", titled(title))
    return past


def test_a_fresh_history_has_nowhere_to_go():
    past = UndoHistory.start(experiment())
    assert not past.can_undo and not past.can_redo and past.undo_label == past.redo_label == ""
    assert past.undo() is past and past.redo() is past and not past.is_changed


def test_undo_and_redo_name_what_they_do():
    past = history("a", "b")
    assert (past.undo_label, past.redo_label) == ("Call it b", "")
    past = past.undo()
    assert (past.experiment.title, past.undo_label, past.redo_label) == ("a", "Call it a", "Call it b")
    assert past.redo().experiment.title == "b" and past.redo().redo() == past.redo()


def test_a_push_drops_what_was_undone():
    past = history("a", "b").undo().push("Call it c", titled("c"))
    assert not past.can_redo and past.undo().experiment.title == "a"


def test_a_push_of_the_same_state_changes_nothing():
    past = history("a")
    assert past.push("Call it a", titled("a")) is past


def test_pushes_in_a_row_with_one_key_are_one_entry():
    past = history("a")
    for title in "bcd":
        past = past.push("Drag", titled(title), merge="noise")
    assert past.experiment.title == "d" and past.undo().experiment.title == "a" and past.undo().redo().experiment.title == "d"


def test_a_drag_back_to_where_it_began_leaves_no_entry():
    before = history("a")
    past = before.push("Drag", titled("b"), merge="noise").push("Drag", titled("a"), merge="noise")
    assert past.entries == before.entries and past.experiment.title == "a" and past.undo_label == "Call it a"
    assert past.push("Drag", titled("c"), merge="noise").undo().experiment.title == "a"


def test_another_key_an_undo_or_a_save_ends_the_row():
    drag = history("a").push("Drag", titled("b"), merge="noise")
    assert drag.push("Drag", titled("c"), merge="rate").undo().experiment.title == "b"
    assert drag.push("Type", titled("c")).undo().experiment.title == "b"
    assert drag.undo().redo().push("Drag", titled("c"), merge="noise").undo().experiment.title == "b"
    assert drag.mark_saved().push("Drag", titled("c"), merge="noise").undo().experiment.title == "b"


def test_changed_means_other_than_what_was_saved():
    past = history("a")
    assert past.is_changed and not past.undo().is_changed
    saved = past.mark_saved()
    assert not saved.is_changed and saved.undo().is_changed and not saved.undo().redo().is_changed
    assert not saved.push("Call it b", titled("b")).push("Call it a", titled("a")).is_changed


def test_a_document_never_saved_is_changed():
    assert UndoHistory.start(experiment(), saved=False).is_changed


def test_two_thousand_edits_are_undone_to_the_byte():
    """A random walk over every edit there is: 2,000 states back to the first byte, and forward again to the last."""
    random, past = Random(1), UndoHistory.start(experiment())
    states = [files.dumps(past.experiment)]
    while len(states) <= 2_000:
        after = past.push("Edit", random_edit(random, past.experiment))
        if after is not past:
            states.append(files.dumps(after.experiment))
        past = after
    for state in reversed(states[:-1]):
        past = past.undo()
        assert files.dumps(past.experiment) == state
    assert past.experiment == experiment() and not past.can_undo and not past.is_changed
    for state in states[1:]:
        past = past.redo()
        assert files.dumps(past.experiment) == state
    assert not past.can_redo


def test_no_entry_is_dropped_however_many_there_are():
    past = history(*map(str, range(10_000)))
    while past.can_undo:
        past = past.undo()
    assert past.experiment == experiment() and len(past.entries) == 10_001


def test_the_walk_makes_every_edit_there_is(monkeypatch):
    """None is forgotten: what `edits` lists is made, and not always refused."""
    listed, called = {name for name, edit in vars(edits).items() if isfunction(edit)} - {"new_id"}, set()
    for name in listed:
        real = getattr(edits, name)

        def noted(*args, name=name, real=real, **settings):
            result = real(*args, **settings)
            called.add(name)
            return result

        monkeypatch.setattr(edits, name, noted)
    random, present = Random(4), experiment()
    for step in range(5_000):
        present = random_edit(random, present if step % 50 else experiment())
    assert "set_value" in listed and listed - called == set()


def test_a_walk_back_and_forth_stands_where_a_list_says():
    random, past = Random(5), UndoHistory.start(experiment())
    states, place = [past.experiment], 0
    for _ in range(2_000):
        move = random.random()
        if move < 0.3:
            past, place = past.undo(), max(0, place - 1)
        elif move < 0.5:
            past, place = past.redo(), min(len(states) - 1, place + 1)
        else:
            after = random_edit(random, past.experiment)
            if after != past.experiment:
                states, place = [*states[: place + 1], after], place + 1
            past = past.push("Edit", after)
        assert past.experiment == states[place]
        assert (past.can_undo, past.can_redo) == (place > 0, place < len(states) - 1)
