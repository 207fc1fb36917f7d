"""Lessons of the program as PDF: played through the real engine, from the command line and from the window, which stays as it is."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QRectF

from nnviz.export import lesson_sheet
from nnviz.export._page_flow import MARGIN, FigureRow
from nnviz.export.lesson_sheet import PAGE, pages_of
from nnviz.jobs.teaching import _Player
from nnviz.lessons.expression import number
from nnviz.lessons.store import open_lesson
from nnviz.ui.shell import lesson_printing
from tests.ui.window import opened, wait


def printed(lesson, monkeypatch, tmp_path):
    """The sheet of a lesson, and how many steps were told."""
    sheets, told = [], []
    real = lesson_sheet.write
    monkeypatch.setattr(lesson_sheet, "write", lambda sheet, path, answers: sheets.append(sheet) or real(sheet, path, answers))
    pages = lesson_printing.print_lesson(lesson, tmp_path / "sheet.pdf", True, lambda done, count: told.append((done, count)))
    data = (tmp_path / "sheet.pdf").read_bytes()
    assert data.startswith(b"%PDF") and len(re.findall(rb"/Type\s*/Page\b", data)) == pages == len(pages_of(sheets[0]))
    return sheets[0], told


@pytest.mark.parametrize("name", ["learning_rate", "attention"])
def test_a_lesson_is_printed_with_the_numbers_it_measures_and_its_pictures(name, monkeypatch, tmp_path):
    whole = open_lesson(name)
    lesson = replace(whole, steps=whole.steps[:3] if name == "attention" else (whole.steps[0], *whole.steps[4:]))
    sheet, told = printed(lesson, monkeypatch, tmp_path)
    assert told == [(place, len(lesson.steps)) for place in range(1, len(lesson.steps) + 1)]
    assert sheet.title == lesson.title and len(sheet.steps) == len(lesson.steps) and sheet.steps[0].figures
    headless = _Player()
    for step, shown in zip(lesson.steps, sheet.steps, strict=True):
        headless._set_up(step)
        assert "{=" not in shown.text + shown.question + shown.reveal and "…" not in shown.question
        if step.ask and step.ask.kind == "number":
            right = number(step.ask.answer, headless.facts().names)
            assert float(shown.right) == pytest.approx(right, rel=1e-4)
            assert all(float(wrong) != float(shown.right) and idea for wrong, idea in shown.wrong)
    pictures = [bytes(figure.picture.data()) for shown in sheet.steps for figure in shown.figures]
    assert len(pictures) == len(set(pictures)) and sum(bool(shown.figures) for shown in sheet.steps) > len(sheet.steps) / 2
    assert all(shown.key_figure for shown in sheet.steps[:1])
    wide = [figure for shown in sheet.steps for figure in shown.figures if figure.is_wide]
    assert len(wide) == (name == "attention"), "what is too wide to be read on a page stands there whole, once"
    if wide:
        parts = [figure for figure in sheet.steps[0].figures if not figure.is_wide]
        assert wide[0].size.width() > 1250 and any(figure.size.width() < 1250 for figure in parts), "and a part that can be read"
    for page in pages_of(sheet):
        for block, rect in page:
            inside = QRectF(MARGIN, MARGIN, PAGE.width() - 2 * MARGIN, PAGE.height() - 2 * MARGIN).adjusted(-1, -1, 1, 1)
            assert inside.contains(rect), f"{type(block).__name__} is cut"
    assert sum(isinstance(block, FigureRow) for page in pages_of(sheet) for block, _ in page) >= len([s for s in sheet.steps if s.figures])


def test_the_command_writes_it_and_says_how_many_pages(tmp_path):
    out = tmp_path / "neuron.pdf"
    call = [sys.executable, "-m", "nnviz", "lessons", "neuron", "--to", str(out), "--no-answers", "--json"]
    done = subprocess.run(call, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and json.loads(done.stdout) == {
        "file": str(out),
        "pages": len(re.findall(rb"/Type\s*/Page\b", out.read_bytes())),
    }
    assert "step 5 of 5" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--to", "a.pdf"], 2, "Say which lesson"),
        (["neuron", "--to", "a.png"], 1, "end in .pdf"),
        (["nothing", "--to", "a.pdf"], 1, "no lesson"),
    ],
)
def test_what_cannot_be_written_is_said(words, code, said, tmp_path):
    done = subprocess.run([sys.executable, "-m", "nnviz", "lessons", *words], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == code and said in done.stderr and "Traceback" not in done.stderr


@pytest.fixture
def window(qtbot, lent_engine):
    yield from opened(qtbot, "moons", engine=lent_engine)


def test_in_the_window_it_is_written_beside_all_else_and_can_be_cancelled(qtbot, window, tmp_path):
    learn, session, out = window.features.learn, window.session, tmp_path / "own.pdf"
    assert not window.action_table["lesson_pdf"].isEnabled()
    learn.printing.ask_with(lambda title, name, filters: str(out))
    window.features.area.show_workspace("learn")
    session.lessons.open("neuron", open_lesson("neuron"))
    wait(qtbot, lambda: not session.lessons.is_setting_up)
    before = session.experiment, session.run.iteration, session.run.revision, session.lessons.state, session.stepping.cursor
    window.action_table["lesson_pdf"].trigger()
    assert not window.action_table["lesson_pdf"].isEnabled() and "beginning" in window.notes.notes["lesson_sheet"].text
    wait(qtbot, lambda: "step 2 of 5" in window.notes.notes["lesson_sheet"].text)
    wait(qtbot, lambda: not window.notes.notes)
    assert f"Wrote {out}" in window.toast.text and out.read_bytes().startswith(b"%PDF")
    assert before == (session.experiment, session.run.iteration, session.run.revision, session.lessons.state, session.stepping.cursor)
    out.unlink()
    window.action_table["lesson_pdf"].trigger()
    window.notes.notes["lesson_sheet"].buttons["Cancel"].click()
    assert window.action_table["lesson_pdf"].isEnabled() and not out.exists() and not window.notes.notes


def test_in_the_window_a_file_that_cannot_be_written_is_told(qtbot, window, tmp_path):
    window.features.learn.printing.ask_with(lambda title, name, filters: str(tmp_path / "sheet.png"))
    window.features.area.show_workspace("learn")
    window.session.lessons.open("neuron", open_lesson("neuron"))
    wait(qtbot, lambda: not window.session.lessons.is_setting_up)
    window.action_table["lesson_pdf_bare"].trigger()
    wait(qtbot, lambda: not window.notes.notes)
    assert "end in .pdf" in window.toast.text
