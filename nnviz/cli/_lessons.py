"""The command `lessons`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from nnviz.cli.arguments import add_json, command
from nnviz.cli.printing import complain, print_table, show


def add_command(commands: Any) -> None:
    """Add `lessons` with its options to the command line."""
    parser = command(commands, "lessons", _lessons, "list the lessons, play them and say whether all holds, or print one", file=False)
    parser.add_argument("name", nargs="?", metavar="NAME", help="a lesson by its name, or the file of one; with --questions a topic")
    parser.add_argument("--check", action="store_true", help="play it, or all, without a window: right and wrong answers, every claim")
    parser.add_argument("--to", metavar="OUT.pdf", help="write the lesson NAME as A4 pages: texts, questions, pictures, answers at the end")
    parser.add_argument("--no-answers", action="store_true", help="with --to: without the pages for the teacher")
    parser.add_argument("--questions", action="store_true", help="the questions of the interview mode instead, with their answers")
    add_json(parser)


def _lessons(options: argparse.Namespace) -> int:
    from nnviz.lessons.store import lesson_names, open_lesson

    if options.questions:
        return _questions(options)
    if options.to:
        return _lesson_sheet(options)
    names = [options.name] if options.name else lesson_names()
    lessons = {name: open_lesson(name) for name in names}
    if not options.check:
        rows = [(name, one.title, f"{one.minutes} min", one.summary) for name, one in lessons.items()]
        value = [{"name": name, "title": one.title, "minutes": one.minutes, "summary": one.summary} for name, one in lessons.items()]
        return show(options, value, lambda: print_table(rows))
    from nnviz.jobs import teaching

    found = {name: [fault._asdict() for fault in teaching.faults(lesson)] for name, lesson in lessons.items()}
    told = {name: "; ".join(f"step {one['step']}: {one['sentence']}" for one in wrong) or "holds" for name, wrong in found.items()}
    show(options, found, lambda: print_table(told.items()))
    return 1 if any(found.values()) else 0


def _lesson_sheet(options: argparse.Namespace) -> int:
    from nnviz.lessons.store import open_lesson

    if not options.name:
        complain("Say which lesson: nnviz lessons NAME --to OUT.pdf. `nnviz lessons` lists their names.")
        return 2
    lesson = open_lesson(options.name)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"  # whatever is set: there may be no display
    from nnviz.ui.shell.lesson_printing import print_lesson

    def tell(done: int, count: int) -> None:
        print(f"step {done} of {count}", file=sys.stderr, flush=True)

    pages = print_lesson(lesson, Path(options.to), not options.no_answers, tell)
    return show(options, {"file": options.to, "pages": pages}, lambda: print(f"{options.to}: {pages} pages"))


def _questions(options: argparse.Namespace) -> int:
    from nnviz.lessons.interview import questions, quiz_lesson

    asked = questions(options.name)
    if not options.check:
        value = [{"topic": topic, "question": one.question, "answer": one.answer, "shown_by": one.shown_by} for topic, one in asked]
        told = [f"{topic}: {one.question}\n  {one.answer}\n  {one.shown_by}" for topic, one in asked]
        return show(options, value, lambda: print("\n".join(told)))
    from nnviz.jobs import teaching

    found = {one.question: [fault.sentence for fault in teaching.faults(quiz)] for _, one in asked if (quiz := quiz_lesson(one))}
    show(options, found, lambda: print_table((question, "; ".join(wrong) or "holds") for question, wrong in found.items()))
    return 1 if any(found.values()) else 0
