"""Lessons in files of their own: whatever is in one is read back as it was, or refused in a sentence; a hostile one does nothing."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnviz import cli
from nnviz.document.problems import Refused
from nnviz.document.store.examples import open_document
from nnviz.document.store.json_text import encode as document_text
from nnviz.jobs.teaching import faults
from nnviz.lessons.lesson import SUFFIX, Lesson, LessonError, LessonStep, decode, decode_draft, encode, what_is_missing
from nnviz.lessons.lesson_documents import built_in_name, file_named, opened, with_document, without_unused
from nnviz.lessons.lesson_drafts import draft_file, drop_draft, keep_draft, kept_drafts
from nnviz.lessons.step_settings import with_settings
from nnviz.lessons.store import LARGEST, is_lesson_file, lesson_names, open_draft, open_lesson, readable_lesson, save_lesson
from nnviz.resource_files import resource_folder

XOR = open_document("example:xor")
TABLE = {
    "format": "nnviz",
    "version": 1,
    "title": "Two rows",
    "data": {"kind": "table", "x": [[1.3, 0.7], [0.2, -1.0]], "y": [[1.0], [0.0]]},
    "network": {
        "layers": [{"id": "x", "kind": "input", "shape": [2]}, {"id": "out", "kind": "dense", "units": 1}],
        "links": [["x", "out"]],
    },
    "training": {"loss": "mse", "optimizer": {"kind": "sgd", "learning_rate": 0.1}, "batch_size": None},
}


def lesson_of(document: str = "mine", documents: dict | None = None, **step) -> bytes:
    first = {"text": "Look.", "document": document} | step
    return json.dumps({"title": "t", "summary": "s", "minutes": 1, "steps": [first], "documents": documents or {}}).encode()


# --- what is written is read back ---

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6)


@given(
    st.builds(
        Lesson,
        title=texts,
        summary=texts,
        minutes=st.integers(0, 99),
        rows=st.lists(texts, max_size=2).map(tuple),
        group=texts,
        documents=st.dictionaries(texts, st.dictionaries(texts, values, max_size=3), max_size=2),
        steps=st.lists(
            st.builds(
                LessonStep,
                text=texts,
                document=st.none() | texts,
                set=st.dictionaries(texts, values, max_size=2),
                iteration=st.none() | st.integers(0, 10**6),
                panels=st.lists(texts, max_size=2).map(tuple),
                element=st.lists(st.integers(0, 9), max_size=3).map(tuple),
                reveal=texts,
                claims=st.lists(texts, max_size=2).map(tuple),
            ),
            min_size=1,
            max_size=3,
        ).map(tuple),
    )
)
@settings(max_examples=60, deadline=None)
def test_any_lesson_is_read_back_as_it_was_written(lesson: Lesson) -> None:
    written = encode(lesson)
    assert decode(written) == lesson and encode(decode(written)) == written


@given(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=150, deadline=None)
def test_whatever_is_in_a_file_is_a_lesson_or_told_in_a_sentence(data: bytes) -> None:
    try:
        decode(data, "a.lesson.json")
    except LessonError as error:
        assert str(error).startswith("a.lesson.json") and str(error).endswith(".")


@pytest.mark.parametrize("name", lesson_names())
def test_a_lesson_of_the_program_is_saved_in_its_canonical_form(name: str, tmp_path) -> None:
    canonical = encode(decode((resource_folder("lessons") / f"{name}.json").read_bytes()))
    path = tmp_path / f"{name}{SUFFIX}"
    save_lesson(open_lesson(name), path)
    assert path.read_bytes() == canonical + b"\n" and open_lesson(str(path)) == open_draft(path) == open_lesson(name)


# --- documents in it ---


def test_a_lesson_with_its_own_document_is_played(tmp_path, capsys) -> None:
    ask = {"kind": "number", "text": "How many?", "answer": "rows"}
    path = tmp_path / f"rows{SUFFIX}"
    path.write_bytes(lesson_of(documents={"mine": TABLE}, ask=ask, claims=["parameters() == 3"]))
    assert cli.main(["lessons", str(path), "--check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {str(path): []}
    path.write_bytes(lesson_of(documents={"mine": TABLE}, claims=["parameters() == 4"]))
    assert cli.main(["lessons", str(path), "--check"]) == 1 and "The claim does not hold" in capsys.readouterr().out


def test_a_document_is_put_in_once_and_taken_out_when_no_step_opens_it() -> None:
    other = XOR.replaced(title="Mine")
    lesson, name = with_document(Lesson("t", "s", 1, ()), other)
    assert name == "mine" and opened(lesson.documents, name) == other and with_document(lesson, other) == (lesson, "mine")
    assert with_document(lesson, other.replaced(seed=1))[1] == "mine 2"
    assert without_unused(lesson).documents == {}
    assert msgspec.json.encode(lesson.documents["mine"]) == msgspec.json.encode(json.loads(document_text(other)))


def test_documents_of_the_program_are_known_again() -> None:
    assert (
        built_in_name(XOR) == "example:xor" and built_in_name(XOR.replaced(seed=99)) == "" and built_in_name(XOR.replaced(title="?")) == ""
    )


# --- a hostile one ---

CSV = TABLE | {"data": {"kind": "csv", "path": "/etc/passwd", "target": ""}}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (lesson_of(documents={"mine": CSV}), "Put the rows inline"),
        (lesson_of("example:xor", set={"data.kind": "csv", "data.path": "/etc/passwd"}), "Put the rows inline"),
        (lesson_of("example:xor", set={"data.kind": "csv"}), "Put the rows inline"),
        (lesson_of("example:xor", runs={"a": {"set": {"data.kind": "csv", "data.path": "/etc/passwd"}}}), "Put the rows inline"),
        (lesson_of("file:///etc/passwd"), "neither an example nor a template"),
        (lesson_of("http://127.0.0.1:9/x.json"), "neither an example nor a template"),
        (lesson_of("/etc/passwd"), "neither an example nor a template"),
        (lesson_of("example:../../etc/passwd"), "no such example"),
        (lesson_of(documents={"mine": {"format": "nnviz"}}), "documents.mine"),
        (lesson_of(documents={"mine": TABLE | {"network": 3}}), "documents.mine: network"),
        (lesson_of(documents={"mine": TABLE | {"surprise": 1}}), "documents.mine: surprise"),
    ],
)
def test_what_a_lesson_must_not_open_is_refused_with_place_and_cure(data: bytes, said: str) -> None:
    found = faults(decode(data))
    assert found[0].step == 1 and said in found[0].sentence, found


def test_a_change_that_would_open_a_file_is_refused() -> None:
    with pytest.raises(Refused, match="Put the rows inline"):
        with_settings(XOR, {"data.kind": "csv", "data.path": "/etc/passwd"})
    own = with_settings_unchecked(XOR)
    assert file_named(own) == "/etc/passwd" and with_settings(own, {"seed": 3}).seed == 3, "the person's own document may have one"


def with_settings_unchecked(experiment):
    from nnviz.document import edits

    return edits.set_value(edits.set_value(experiment, "data.kind", "csv"), "data.path", "/etc/passwd")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "cut off or not JSON"),
        (b'{"documents": {"a": ' + b'{"a": ' * 100_000, "not JSON"),
        (b"[]", "Mend that place"),
        (b"\xff\xfe", "not JSON"),
        (b'{"title": 3}', r"\$.title"),
        (lesson_of(iteration=-3), "counted from 0"),
        (lesson_of(ask={"kind": "click", "text": "?"}), "step 1: A question for a click needs `when`"),
    ],
)
def test_a_bad_file_is_told_in_one_sentence(tmp_path, data: bytes, said: str, capsys) -> None:
    path = tmp_path / f"bad{SUFFIX}"
    path.write_bytes(data)
    with pytest.raises(LessonError, match=said):
        open_lesson(str(path))
    assert readable_lesson(path) is None
    assert cli.main(["lessons", str(path), "--check"]) == 1 and len(capsys.readouterr().err.strip().splitlines()) == 1


def test_one_that_is_too_large_is_neither_read_nor_written(tmp_path) -> None:
    path = tmp_path / f"large{SUFFIX}"
    path.write_bytes(b" " * (LARGEST + 1))
    with pytest.raises(LessonError, match="at most"):
        open_lesson(str(path))
    with pytest.raises(LessonError, match="fewer rows"):
        save_lesson(Lesson("t", "s", 1, (LessonStep("x" * LARGEST),)), path)
    assert path.stat().st_size == LARGEST + 1
    with pytest.raises(LessonError, match="could not be written"):
        save_lesson(Lesson("t", "s", 1, ()), tmp_path / "no" / "where.lesson.json")


# --- drafts ---


def test_a_draft_need_not_be_whole_and_a_crash_leaves_a_copy(tmp_path, monkeypatch) -> None:
    data = lesson_of(ask={"kind": "choice", "text": "?"})
    draft = decode_draft(data)
    assert what_is_missing(draft.steps[0].ask) and decode_draft(encode(Lesson("t", "", 1, ()))).steps == ()
    monkeypatch.setattr("nnviz.lessons.lesson_drafts.autosave_folder", lambda: tmp_path / "autosave")
    keep_draft(draft, tmp_path / f"a{SUFFIX}", "window")
    assert kept_drafts() == (), "whose process lives is nobody's to offer"
    monkeypatch.setattr("nnviz.lessons.lesson_drafts.is_running", lambda process: False)
    (kept,) = kept_drafts()
    assert (kept.lesson, kept.path) == (draft, tmp_path / f"a{SUFFIX}")
    draft_file("other").write_bytes(b"torn")
    assert len(kept_drafts()) == 1
    drop_draft(kept.file)
    assert kept_drafts() == ()


def test_the_name_of_a_file_says_whether_it_is_a_lesson(tmp_path) -> None:
    assert is_lesson_file(tmp_path / "A.Lesson.JSON") and not is_lesson_file(tmp_path / "lesson.json")
