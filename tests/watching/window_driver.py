"""The process of a trace window, as `nnviz --window` is it, with something that acts in it in place of a person (`drive`)."""

import sys

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from nnviz.records.picture_records import PictureWish
from nnviz.records.tensors import to_numpy
from nnviz.records.trace_record import WhatIf
from nnviz.ui.shell import app
from nnviz.ui.shell.trace_window import TraceWindow
from nnviz.ui.shell.window_of_program import serve


def drive(act):
    """Be that process; `act(window)` is called, again and again until it returns True, once the window shows a trace."""
    application = app.application()

    def look():
        windows = [one for one in application.topLevelWidgets() if isinstance(one, TraceWindow) and one.isVisible()]
        ready = windows and windows[0].trace.stepping.index is not None and not windows[0].trace.busy
        if not (ready and act(windows[0])):
            QTimer.singleShot(20, look)

    QTimer.singleShot(0, look)
    code = serve()
    assert "torch" not in sys.modules and isinstance(QApplication.instance(), QApplication)
    sys.exit(code)


def answers(key):
    """What waits for the halt and clicks on an answer."""

    def act(window):
        note = window.notes.notes.get("halt")
        button = note and next(button for name, button in note.buttons.items() if name.startswith(key))
        return bool(button) and (button.click() or True)

    return act


def supposes(answer=""):
    """What supposes another value of a tanh, looks at what did not travel of both iterations, takes it back, and closes the window."""
    seen = []

    def act(window):
        trace = window.trace
        index = trace.stepping.index
        tanh = next(node for node in index.trace.nodes if node.operation == "tanh")
        if not seen:
            seen.append(index)
            trace.stepping.set_sample(3)
            trace.what_ifs.add(WhatIf(tanh.id, "set", 4.0))
            return False
        if index is not seen[0]:
            assert index.original is seen[0] and index.trace.loss != seen[0].trace.loss and index.trace.worst_error < 1e-4
            trace.want_numbers(tanh.id)
            assert set(index.array(tanh.value).ravel()) == {4.0}
            assert set(to_numpy(trace.picture(PictureWish("maps", "1")).values).ravel()) == {4.0}
            trace.what_ifs.clear()
            return False
        trace.want_numbers(tanh.id)
        assert abs(to_numpy(trace.picture(PictureWish("maps", "1")).values)).max() < 1.0
        assert abs(index.array(tanh.value)).max() < 1.0, "what is asked for now is of the iteration as it is"
        return answers(answer)(window) if answer else window.close() or True

    return act


def meets_an_obstacle():
    """What supposes something of a trace whose module is not at hand, and closes the window once it is told so."""

    def act(window):
        row = window.step.chain_rule.what_if
        assert not row.buttons["set"].isEnabled() and "captured before" in row._note.text()
        window.close()
        return True

    return act


def looks_around():
    """What opens the graph further, asks for what did not travel and for a finite difference, and closes the window once all has come."""
    asked, checks = [], []

    def act(window):
        stepping = window.trace.stepping
        if not asked:
            window.graph.detail.chosen.emit("math")
        elif len(asked) == 1:
            assert stepping.index.trace.detail == "math"
            stepping.set_sample(3)
            large = next(node.id for node in stepping.index.trace.nodes if node.operation == "linear" and node.value.values is None)
            assert stepping.index.array(stepping.index.node(large).value) is None
            window.trace.want_numbers(large)
            assert not stepping.index.lacks(large, 3)
            window.trace.gradient_checked.connect(checks.append)
            window.trace.check_gradient(large, (0, 0))
        elif checks:
            assert abs(checks[0].numeric - checks[0].analytic) < 1e-3
            window.close()
            return True
        asked.append(1)
        return False

    return act
