"""A lesson as pages: what stands on which, that nothing is cut, and that its text can be copied."""

from __future__ import annotations

import re
import zlib
from itertools import pairwise

import pytest
from PySide6.QtCore import QRectF, QSizeF
from PySide6.QtGui import QColor, QPainter, QPicture

from nnviz.export._page_flow import MARGIN, Beside, FigureRow, Gap, Rule, Text, flowed
from nnviz.export.lesson_sheet import PAGE, LessonSheet, SheetFigure, SheetStep, pages_of, pdf, write
from nnviz.ui.shell import app
from nnviz.ui.theme.colors import THEMES
from nnviz.ui.theme.style import apply_text_size, apply_theme


@pytest.fixture(autouse=True)
def fonts(qapp):
    app.application()


def figure(width: float = 600, height: float = 400) -> SheetFigure:
    recording = QPicture()
    painter = QPainter(recording)
    painter.fillRect(QRectF(0, 0, width, height), QColor("white"))
    painter.drawLine(0, 0, int(width), int(height))
    painter.end()
    return SheetFigure(recording, QSizeF(width, height))


def step(number: int, **changes) -> SheetStep:
    named = {
        "kind": "number",
        "question": "How much?",
        "hints": ("Count.",),
        "right": "4.5",
        "reveal": "It is $x^2$.",
        "key_figure": figure(300, 400),
    }
    return SheetStep(f"Look at step {number}.\n\nIt is long.", (figure(),), **(named | {"wrong": (("9", "Twice."),)} | changes))


def sheet(count: int, **changes) -> LessonSheet:
    return LessonSheet("Numbers", "One counts (1, 2).", 5, tuple(step(place, **changes) for place in range(count)), "nnviz")


def texts(page) -> list[str]:
    found = []
    for block, _ in page:
        found += [part.text for part in (block.blocks if isinstance(block, Beside) else [block]) if hasattr(part, "text")]
    return found


def streams(data: bytes) -> list[bytes]:
    """What stands in the PDF, unpacked."""
    found = []
    for match in re.finditer(rb"stream\r?\n(.*?)endstream", data, re.DOTALL):
        try:
            found.append(zlib.decompressobj().decompress(match[1]))
        except zlib.error:
            found.append(match[1])
    return found


def codes_with_a_letter(data: bytes) -> set[str]:
    """The letters that the glyphs of the PDF stand for."""
    found = set()
    for stream in streams(data):
        if b"beginbfrange" in stream or b"beginbfchar" in stream:
            found |= {chr(int(code, 16)) for code in re.findall(rb"<([0-9a-fA-F]{4})>", stream)}
    return found


@pytest.mark.parametrize("count", [1, 3, 8])
def test_no_block_is_cut_by_the_end_of_a_page_and_none_covers_another(count):
    pages = pages_of(sheet(count))
    room = QRectF(MARGIN, MARGIN, PAGE.width() - 2 * MARGIN, PAGE.height() - 2 * MARGIN)
    for page in pages:
        assert page and not isinstance(page[0].block, Gap | Rule)
        for (block, rect), (_, after) in pairwise(page):
            assert rect.bottom() <= after.top() + 0.01
            assert rect.height() == pytest.approx(block.height(rect.width()))
        assert all(room.adjusted(-0.5, -0.5, 0.5, 0.5).contains(rect) for _, rect in page)
    figures = [block for page in pages for block, _ in page if isinstance(block, FigureRow)]
    assert len(figures) == count


def test_answers_stand_on_pages_of_their_own_or_nowhere():
    with_answers, without = pages_of(sheet(3)), pages_of(sheet(3), has_answers=False)
    first = next(place for place, page in enumerate(with_answers) if "**For the teacher: answers**" in texts(page))
    assert first == len(without) > 0
    for page in (*without, *with_answers[:first]):
        assert not any("4.5" in text or "Twice" in text or "x^2" in text for text in texts(page))
    said = [text for page in with_answers[first:] for text in texts(page)]
    assert said.count("**Answer: 4.5**") == 3 == said.count("**9**  Twice.") == said.count("It is $x^2$.")


def test_a_head_stands_on_the_page_of_what_it_is_the_head_of():
    for page in pages_of(sheet(8)):
        said = texts(page)
        assert not re.match(r"\*\*(STEP|QUESTION) \d", said[-1])
        for place, text in enumerate(said):
            if text.startswith("**STEP"):
                assert said[place + 1].startswith("Look at step")


def test_a_step_without_a_question_says_its_reveal_and_has_no_answer():
    plain = LessonSheet("T", "S.", 1, (SheetStep("Read.", reveal="That is so."),))
    pages = pages_of(plain)
    assert len(pages) == 1 and "That is so." in texts(pages[0]) and not any("QUESTION" in text for text in texts(pages[0]))


def test_options_have_letters_and_boxes():
    said = [text for page in pages_of(sheet(1, kind="choice", options=("less", "more"))) for text in texts(page)]
    assert "**A**  less" in said and "**B**  more" in said


def test_the_file_is_a_pdf_whose_digits_and_signs_can_be_copied(tmp_path):
    count = write(sheet(3), tmp_path / "sheet.pdf")
    data = (tmp_path / "sheet.pdf").read_bytes()
    assert data.startswith(b"%PDF") and len(re.findall(rb"/Type\s*/Page\b", data)) == count == len(pages_of(sheet(3)))
    assert set("Numbers(1,2).:45") <= codes_with_a_letter(data)
    assert b"/MediaBox" in data


def test_pages_are_light_whatever_the_theme_is(qapp):
    light = max(streams(pdf(sheet(1))[0]), key=len)
    apply_theme(qapp, THEMES["dark"])
    apply_text_size(qapp, 200)
    try:
        assert max(streams(pdf(sheet(1))[0]), key=len) == light
    finally:
        apply_text_size(qapp, 100)
        apply_theme(qapp, THEMES["light"])


def test_what_belongs_together_goes_to_the_next_page_together():
    blocks = [Gap(PAGE.height() - 2 * MARGIN - 40), Text("head", 14, keeps_next=True), FigureRow([(figure().picture, figure().size)])]
    pages = flowed([Text("first", 14), *blocks], PAGE)
    assert [len(page) for page in pages] == [2, 2]


def test_a_wide_picture_has_the_width_of_the_page_beside_no_other():
    small, wide = SheetFigure(figure().picture, QSizeF(400, 200)), SheetFigure(figure().picture, QSizeF(2400, 1800), is_wide=True)
    pages = pages_of(LessonSheet("T", "S.", 1, (SheetStep("Look.", (small, wide, small)),)))
    rows = [(rect.width(), block.height(rect.width())) for page in pages for block, rect in page if isinstance(block, FigureRow)]
    assert len(rows) == 3 and rows[1][1] * 2400 / 1800 == pytest.approx(rows[1][0], rel=0.01) and rows[0][1] < rows[1][1]
