from __future__ import annotations

import random
from pathlib import Path

import pytest

from nnviz.document import edits
from nnviz.document.shapes.report import examine
from nnviz.document.store import autosave, files
from nnviz.session._document_file import Autosaver
from nnviz.session.document import Document
from tests.session.sessions import two_moons


class Listener:
    """Keeps what a document says."""

    def __init__(self, document: Document) -> None:
        self.edited, self.replaced, self.messages, self.changes = [], [], [], 0
        document.edited.connect(lambda edit: self.edited.append(edit[:2]))
        document.replaced.connect(lambda edit: self.replaced.append(edit[:2]))
        document.message_posted.connect(lambda level, text: self.messages.append((level, text)))
        document.changed.connect(self._count)

    def _count(self) -> None:
        self.changes += 1


@pytest.fixture
def document(qapp) -> Document:
    return Document(two_moons())


@pytest.fixture
def heard(document) -> Listener:
    return Listener(document)


def change(document: Document, value: float, merge: str = "") -> bool:
    return document.edit("Rate", edits.change_optimizer, learning_rate=value, merge=merge)


def test_edits_are_told_and_taken_back(document, heard):
    first = document.experiment
    assert change(document, 0.5)
    second = document.experiment
    document.undo()
    document.redo()
    assert heard.edited == [(first, second), (second, first), (first, second)]
    assert heard.changes == 3


def test_an_edit_that_changes_nothing_is_not_told(document, heard):
    assert change(document, document.experiment.training.optimizer["learning_rate"])
    document.undo()
    document.redo()
    assert (heard.edited, heard.changes) == ([], 0)


def test_an_impossible_edit_says_why(document, heard):
    assert not document.edit("Remove", edits.remove_layers, ["nobody"])
    assert heard.edited == []
    ((level, text),) = heard.messages
    assert level == "warning"
    assert "nobody" in text


def test_the_saved_mark_follows_save_edit_and_undo(document, heard, tmp_path):
    assert document.is_saved
    assert not document.save(), "it has no file yet"
    change(document, 0.5)
    assert not document.is_saved
    assert document.save_as(tmp_path / "a.nnviz")
    assert (document.is_saved, document.title, document.folder) == (True, "a.nnviz", str(tmp_path))
    change(document, 0.25)
    assert not document.is_saved
    document.undo()
    assert document.is_saved
    change(document, 0.125)
    assert document.save(thumbnail=b"a picture")
    assert files.load(tmp_path / "a.nnviz") == document.experiment
    assert files.part(tmp_path / "a.nnviz", files.THUMBNAIL) == b"a picture"


def test_bare_json_is_saved_without_the_picture(document, tmp_path):
    assert document.save_as(tmp_path / "a.json", thumbnail=b"a picture")
    assert document.open(tmp_path / "a.json")


def test_opening_replaces_document_and_history(document, heard, tmp_path):
    other = two_moons(units=3)
    files.save(tmp_path / "b.json", other)
    change(document, 0.5)
    assert document.open(tmp_path / "b.json")
    assert (document.experiment, document.path, document.is_saved) == (other, tmp_path / "b.json", True)
    assert not document.history.can_undo
    assert len(heard.replaced) == 1
    document.new(two_moons(), saved=False)
    assert (document.path, document.title, document.is_saved) == (None, "Two moons", False)


def test_what_cannot_be_opened_or_saved_is_one_message_and_changes_nothing(document, heard, tmp_path):
    (tmp_path / "bad.json").write_text('{"format": "nnviz", "version": 1, "network": {"layers": [{"id": 3}, {"kind": "x"}]}}')
    before = document.experiment
    assert not document.open(tmp_path / "bad.json")
    assert not document.open(tmp_path / "nowhere.json")
    assert not document.save_as(tmp_path / "nowhere" / "a.json")
    assert (document.experiment, document.path, document.is_saved) == (before, None, True)
    assert [level for level, _ in heard.messages] == ["error"] * 3
    assert "bad.json" in heard.messages[0][1]
    assert "\n" not in heard.messages[0][1]


def test_data_beside_a_document_stays_where_it_is_wherever_the_document_goes(document, tmp_path):
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    away.mkdir()
    here = edits.choose_data(two_moons(), "csv", path="sub/rows.csv")
    files.save(home / "a.json", here)
    assert document.open(home / "a.json") and document.is_saved
    assert document.experiment.data["path"] == str(home / "sub" / "rows.csv")
    assert document.save_as(home / "b.json") and files.load(home / "b.json").data["path"] == "sub/rows.csv"
    assert document.save_as(away / "c.json") and files.load(away / "c.json").data["path"] == str(home / "sub" / "rows.csv")
    document.edit("Path", edits.change_data, path="d.csv")
    assert document.experiment.data["path"] == str(away / "d.csv")
    assert document.save() and files.load(away / "c.json").data["path"] == "d.csv"
    document.revert()
    assert document.experiment.data["path"] == str(away / "d.csv")


MOVES = (
    lambda d, r: d.edit("Add", edits.add_layer, r.choice(("dense", "dropout", "batch_norm"))),
    lambda d, r: d.edit("Remove", edits.remove_layers, [layer.id for layer in d.experiment.network.layers[-1:]]),
    lambda d, r: d.edit("Units", edits.change_layer, "h1", units=r.randint(1, 9), merge=r.choice(("", "units"))),
    lambda d, r: d.edit("Move", edits.move_layers, {"x": (r.random(), r.random())}),
    lambda d, r: change(d, r.random(), merge=r.choice(("", "rate"))),
    lambda d, r: d.undo(),
    lambda d, r: d.undo(),
    lambda d, r: d.redo(),
)


@pytest.mark.parametrize("seed", range(5))
def test_a_random_walk_of_edits_undo_and_redo_comes_back_byte_for_byte(document, seed):
    walker, start = random.Random(seed), files.dumps(document.experiment)
    for _ in range(300):
        walker.choice(MOVES)(document, walker)
        examine(document.experiment)
    states = []
    while document.history.can_undo:
        states.append(files.dumps(document.experiment))
        document.undo()
    assert files.dumps(document.experiment) == start
    for state in reversed(states):
        document.redo()
        assert files.dumps(document.experiment) == state


# --- copies of unsaved work -----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(autosave, "autosave_folder", lambda: tmp_path / "copies")
    return tmp_path / "copies"


def copies(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.autosave"))


@pytest.fixture
def autosaver(document, folder) -> Autosaver:
    autosaver = Autosaver(document, dict, parent=document)
    autosaver.message_posted.connect(document.message_posted)
    for signal in (document.edited, document.replaced):
        signal.connect(autosaver.wait)
    document.changed.connect(autosaver.tidy)
    return autosaver


def test_a_copy_is_there_within_a_second_of_an_edit(document, autosaver, folder, qtbot):
    change(document, 0.5)
    assert copies(folder) == []
    qtbot.waitUntil(lambda: copies(folder) != [], timeout=1000)
    assert files.loads(copies(folder)[0].read_bytes().partition(b"\n")[2]) == document.experiment


def test_dragging_on_does_not_put_the_copy_off(document, autosaver, folder, qtbot):
    for step in range(12):
        change(document, 0.1 + 0.01 * step, merge="rate")
        qtbot.wait(100)
    assert copies(folder) != []


def test_saving_drops_the_copy(document, autosaver, folder, tmp_path):
    change(document, 0.5)
    autosaver.write()
    assert len(copies(folder)) == 1
    document.save_as(tmp_path / "a.nnviz")
    assert copies(folder) == []
    change(document, 0.25)
    autosaver.write()
    document.undo()
    assert copies(folder) == [], "nothing is unsaved any more"


def test_nothing_unsaved_leaves_no_copy(document, autosaver, folder):
    autosaver.write()
    assert copies(folder) == []


def test_recovered_work_is_kept_again(document, autosaver, folder, qtbot):
    document.new(two_moons(units=3), saved=False)
    qtbot.waitUntil(lambda: copies(folder) != [], timeout=1000)


def test_a_copy_that_cannot_be_written_is_a_warning(document, heard, autosaver, folder):
    folder.parent.joinpath("copies").write_text("a file where the folder should be")
    change(document, 0.5)
    autosaver.write()
    ((level, text),) = heard.messages
    assert level == "warning"
    assert "copy" in text
