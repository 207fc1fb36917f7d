"""A window on the iteration in which a watched loop has halted: the cursor at what was found, and what to do with the loop."""

from __future__ import annotations

from nnviz.records.halt_record import ANSWERS, HaltRecord
from nnviz.session.recorded_trace import Recording
from nnviz.ui.shell.trace_window import TraceWindow, open_window, run


def show_halt(recording: Recording, title: str, detail: str, halt: HaltRecord) -> str:
    """Open the window, live until it is closed, and return the answer: continue · stop · ignore; closing it lets the loop go on."""
    window = open_window(recording, title, detail)
    answers = tell_halt(window, halt)
    run(window)
    return answers[-1]


def tell_halt(window: TraceWindow, halt: HaltRecord) -> list[str]:
    """Show what was found, with a button for each answer; the last entry of what is returned is the answer so far."""
    answers = ["continue"]

    def answer(key: str) -> None:
        answers.append(key)
        window.close()

    buttons = [(f"{text} ({halt.condition})" if key == "ignore" else text, lambda key=key: answer(key)) for key, text in ANSWERS.items()]
    window.notes.post("halt", "warning", " ".join((halt.told, *halt.notes)), buttons)
    stepping = window.trace.stepping
    if stepping.index is not None:
        stepping.set_sample(halt.row)
        stepping.to(halt.cursor)
        stepping.select(halt.node)
        window.step.choose_element(halt.element)
        window.graph.view.show_node(halt.node)
    return answers
