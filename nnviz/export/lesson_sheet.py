"""A lesson as A4 pages: its text, questions with room for answers, pictures, and for the teacher the answers on pages of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QSizeF
from PySide6.QtGui import QPageLayout, QPageSize, QPainter, QPdfWriter, QPicture

from nnviz.document.store.files import replace_file
from nnviz.export._page_flow import Beside, Box, FigureRow, Gap, PageBlock, Rule, Ruled, Text, flowed, paint_page
from nnviz.ui.theme.colors import LIGHT
from nnviz.ui.theme.style import wearing

PAGE = QSizeF(794, 1123)
"""A4 in pixels of 1/96 inch."""
_TITLE, _HEAD, _BODY, _SMALL = 26, 12, 14, 11.5
"""Letters in pixels of 1/96 inch; 14 of them are 10.5 pt."""
_RULES = {"number": 3, "click": 1, "change": 3}
"""Lines to write on."""
_PROMPTS = {
    "number": "Answer, and how you got there:",
    "click": "Which node, weight or layer:",
    "change": "Try it in nnviz. What did you see?",
}
_TWO_WIDE = 1150
"""Pixels of the screen that two pictures side by side have at most."""
_HIGHEST_WIDE = 620
"""Pixels of a page that a picture as wide as it may be high."""
_KEY_WIDTH = 300
"""Pixels of a card beside an answer."""


@dataclass(frozen=True)
class SheetFigure:
    """A recorded picture and its size in pixels of the screen."""

    picture: QPicture
    size: QSizeF
    is_wide: bool = False
    """Whether it needs the width of the page, beside no other."""


@dataclass(frozen=True)
class SheetStep:
    """One step, with its numbers filled in. Texts are Markdown with formulas."""

    text: str
    figures: tuple[SheetFigure, ...] = ()
    kind: str = ""
    """number · choice · click · change; empty where nothing is asked."""
    question: str = ""
    options: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    right: str = ""
    wrong: tuple[tuple[str, str], ...] = ()
    """Wrong answers, and what who gives one has thought."""
    reveal: str = ""
    key_figure: SheetFigure | None = None
    """What stands beside the answer once it is given."""


@dataclass(frozen=True)
class LessonSheet:
    """All that is printed of a lesson."""

    title: str
    summary: str
    minutes: int
    steps: tuple[SheetStep, ...]
    made_with: str = ""
    """Program and version, for the last line of a page."""


def write(sheet: LessonSheet, path: Path, has_answers: bool = True) -> int:
    """Write the sheet as PDF, in one step, and return how many pages it has. Raises OSError if the file cannot be written."""
    data, count = pdf(sheet, has_answers)
    replace_file(path, data)
    return count


def pdf(sheet: LessonSheet, has_answers: bool = True) -> tuple[bytes, int]:
    """Return the sheet as PDF, and how many pages it has."""
    with wearing(LIGHT):
        pages = pages_of(sheet, has_answers)
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        writer = QPdfWriter(buffer)
        writer.setResolution(96)
        writer.setTitle(sheet.title)
        writer.setCreator(sheet.made_with)
        writer.setPageLayout(QPageLayout(QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0)))
        painter = QPainter(writer)
        for number, page in enumerate(pages, 1):
            if number > 1:
                writer.newPage()
            foot = f"{sheet.made_with}  ·  {number} / {len(pages)}" if sheet.made_with else f"{number} / {len(pages)}"
            paint_page(painter, page, PAGE, sheet.title, foot)
        painter.end()
    return bytes(buffer.data().data()), len(pages)


def pages_of(sheet: LessonSheet, has_answers: bool = True) -> list:
    """Return what stands where on each page. Answers begin a page of their own."""
    pages = flowed(list(_lesson(sheet)), PAGE)
    asked = [(number, step) for number, step in enumerate(sheet.steps, 1) if step.kind]
    if has_answers and asked:
        pages += flowed(list(_answers(sheet, asked)), PAGE)
    return pages


def _lesson(sheet: LessonSheet) -> Iterator[PageBlock]:
    yield Text(f"**{sheet.title}**", _TITLE)
    yield Text(sheet.summary, _BODY, "muted")
    questions = sum(bool(step.kind) for step in sheet.steps)
    yield Text(f"{sheet.minutes} minutes · {questions} question{'s' if questions != 1 else ''}", _SMALL, "muted")
    yield Gap(6)
    yield Text("Name ______________________________    Date ______________", _BODY, "muted")
    yield Rule()
    for number, step in enumerate(sheet.steps, 1):
        yield from _step(number, step)


def _step(number: int, step: SheetStep) -> Iterator[PageBlock]:
    yield Gap(10)
    yield Text(f"**STEP {number}**", _HEAD, "forward", keeps_next=True)
    yield from _paragraphs(step.text, keeps_last=bool(step.figures))
    if step.figures:
        yield Gap(4, keeps_next=True)
    for row in _rows(step.figures):
        yield FigureRow([(one.picture, one.size) for one in row], _HIGHEST_WIDE if row[0].is_wide else 0)
        yield Gap(6)
    if step.kind:
        yield from _question(number, step)
    elif step.reveal:
        yield from _paragraphs(step.reveal)
    yield Gap(4)
    yield Rule()


def _question(number: int, step: SheetStep) -> Iterator[PageBlock]:
    yield Gap(4, keeps_next=True)
    yield Text(f"**QUESTION {number}**", _HEAD, "clip", keeps_next=True)
    yield from _paragraphs(step.question, keeps_last=True)
    for place, option in enumerate(step.options):
        yield Box(Text(f"**{chr(ord('A') + place)}**  {option}", _BODY), keeps_next=place < len(step.options) - 1 or bool(step.hints))
    if step.kind in _PROMPTS:
        yield Text(_PROMPTS[step.kind], _SMALL, "muted", keeps_next=True)
        yield Ruled(_RULES[step.kind], keeps_next=bool(step.hints))
    if step.hints:
        yield Text("\n\n".join(f"Hint {place}: {hint}" for place, hint in enumerate(step.hints, 1)), _SMALL, "muted")


def _answers(sheet: LessonSheet, asked: Sequence[tuple[int, SheetStep]]) -> Iterator[PageBlock]:
    yield Text("**For the teacher: answers**", _TITLE - 6)
    yield Text(f"{sheet.title}. Every number was measured when this sheet was made.", _BODY, "muted")
    yield Rule()
    for number, step in asked:
        yield Gap(8)
        figure = step.key_figure
        said = list(_answer(number, step))
        yield Beside(said, figure.picture, figure.size, _KEY_WIDTH) if figure else Beside(said)
        yield Gap(4)
        yield Rule()


def _answer(number: int, step: SheetStep) -> Iterator[PageBlock]:
    yield Text(f"**QUESTION {number}**", _HEAD, "clip", keeps_next=True)
    yield from _paragraphs(step.question, size=_SMALL, color="muted")
    yield Text(f"**Answer: {step.right}**", _BODY)
    yield from _paragraphs(step.reveal)
    if step.wrong:
        yield Text("Wrong answers, and what they have thought:", _SMALL, "muted", keeps_next=True)
    for answer, idea in step.wrong:
        yield Text(f"**{answer}**  {idea}", _SMALL)


def _paragraphs(text: str, keeps_last: bool = False, size: float = _BODY, color: str = "text") -> Iterator[PageBlock]:
    """A block for each paragraph, so that a page may end between two of them."""
    parts = [part for part in text.split("\n\n") if part.strip()]
    for place, part in enumerate(parts):
        yield Text(part, size, color, keeps_next=keeps_last and place == len(parts) - 1)


def _rows(figures: Sequence[SheetFigure]) -> Iterator[Sequence[SheetFigure]]:
    """Two beside each other, where their letters do not get too small by it."""
    waiting = list(figures)
    while waiting:
        first, *others = waiting
        highest = max(one.size.height() for one in waiting[:2])
        wide = sum(one.size.width() / one.size.height() * highest for one in waiting[:2])
        is_pair = others and wide <= _TWO_WIDE and not (first.is_wide or others[0].is_wide)
        row = [first, others[0]] if is_pair else [first]
        yield row
        waiting = waiting[len(row) :]
