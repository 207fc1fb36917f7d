"""A Python file in a process of its own, with a window beside it: whatever the file does, the window stands and nothing is left."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from nnviz.records.picture_records import PictureWish
from nnviz.records.python_file import read_python_file
from nnviz.records.trace_record import WhatIf
from nnviz.trace import TraceError
from nnviz.ui.files.python_sheet import agree
from nnviz.ui.shell.python_window import FileWindow, show_file
from nnviz.ui.shell.trace_window import TraceWindow, run
from nnviz.viewing.file_program import FileRecording

ROOT = Path(__file__).resolve().parents[2]
GOOD = """
import torch
from neighbour import width
print("hello from the file")

def make():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, width), torch.nn.Tanh(), torch.nn.Linear(width, 1))
    return dict(module=net, inputs=torch.rand(8, 3), target=torch.rand(8, 1), loss=torch.nn.functional.mse_loss,
                optimizer=torch.optim.SGD(net.parameters(), 0.1), detail="math")
"""
NET = "import torch\n\ndef make():\n    return torch.nn.Linear(3, 1), torch.rand(8, 3), torch.rand(8, 1)\n"


@pytest.fixture
def written(tmp_path):
    def write(text):
        (tmp_path / "neighbour.py").write_text("width = 4\n")
        path = tmp_path / "model.py"
        path.write_text(text, encoding="utf-8")
        return read_python_file(path)

    return write


@pytest.fixture
def shown(written, qtbot):
    opened = []

    def show(text, name="make", until=lambda window: not window.trace.busy):
        opened.append(FileWindow(written(text), name))
        window = opened[-1].window
        window.graph.view.set_animated(False)
        qtbot.waitUntil(lambda: until(window), timeout=30_000)
        return opened[-1]

    yield show
    for one in opened:
        one.window.close()
        run(one.window)
        one.end()


def note(shown):
    return shown.window.notes.notes["file"]


def test_a_file_is_shown_as_it_asks_and_can_be_opened_further(shown, qtbot, capfd):
    one = shown(GOOD)
    trace = one.window.trace
    assert trace.stepping.index.trace.detail == one.window.graph.detail.key == "math"
    assert trace.stepping.index.updates and not one.window.notes.notes and "torch" not in vars(sys.modules[FileWindow.__module__])
    one.window.graph.detail.chosen.emit("layer")
    qtbot.waitUntil(lambda: not trace.busy, timeout=10_000)
    assert trace.stepping.index.trace.detail == "layer"
    assert "hello from the file" in capfd.readouterr().err


def test_a_file_supposes_other_values_until_its_process_has_ended(shown, qtbot):
    window = shown(GOOD).window
    trace, truth = window.trace, window.trace.stepping.index
    tanh = next(node.id for node in truth.trace.nodes if node.operation == "tanh")
    trace.what_ifs.add(WhatIf(tanh, "ablate"))
    qtbot.waitUntil(lambda: not trace.busy, timeout=10_000)
    assert trace.stepping.index.original is truth and trace.stepping.index.trace.loss != truth.trace.loss
    assert trace.picture(PictureWish("weights", "2.weight")).values.shape == (1, 1, 4)
    trace._recording.kill()
    qtbot.waitUntil(lambda: trace._recording._program.has_ended, timeout=10_000)
    trace.what_ifs.add(WhatIf(tanh, "set", 2.0))
    assert "process of model.py has ended: run it again" in window.toast.text and len(trace.what_ifs.items) == 1
    trace.what_ifs.clear()
    assert trace.stepping.index is truth, "what was there before is kept"
    trace.stepping.select(tanh)
    assert not window.step.chain_rule.what_if.buttons["set"].isEnabled()
    assert "process of model.py has ended" in trace.picture(PictureWish("weights")).sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import torch\n\ndef make():\n    return 1 / 0\n", "model.py:4: ZeroDivisionError: division by zero"),
        ("import os\nimport torch\ndef make():\n    os.abort()\n", "model.py:4: the process of the file was ended by SIGABRT."),
        ("import sys\nsys.exit(3)\ndef make():\n    return 1\n", "model.py:2: the file ended itself"),
        ("import os\nos._exit(3)\ndef make():\n    return 1\n", "model.py: the process of the file ended itself with exit code 3."),
        ("import torch\ndef make():\n    return torch.nn.Linear(3, 1)\n", "model.py: there are no inputs: return (module, inputs)"),
        ("def make():\n    return 'net'\n", "model.py: make returned str, which is no module."),
        (
            "import torch\ndef make():\n    return torch.nn.LSTM(3, 4), torch.rand(2, 5, 3), torch.rand(2, 5, 4)\n",
            "model.py: what the module returns is tuple",
        ),
        (
            "import torch\ndef make():\n    return torch.nn.Linear(3, 2), torch.rand(8, 3)\n",
            "model.py: the loss must be one floating-point number",
        ),
        ("from .neighbour import width\ndef make():\n    return 1\n", "import its neighbours without the dot."),
        ("x = input()\ndef make():\n    return 1\n", "model.py:1: EOFError"),
        (NET.replace("torch.rand(8, 3)", "torch.rand(8, 2)"), "model.py: RuntimeError: mat1 and mat2"),
    ],
)
def test_what_fails_says_where_and_can_be_run_again(shown, text, said):
    one = shown(text)
    assert said in note(one).text and one.has_failed and "Run it again" in note(one).buttons
    assert one.window.trace.stepping.index is None and one.window.isVisible()


@pytest.mark.parametrize(
    ("made", "given", "operation"),
    [
        ("torch.nn.Linear(3, 2), torch.rand(8, 3), torch.ones(8, dtype=torch.long)", "", "cross_entropy"),
        ("torch.nn.Linear(3, 2), torch.rand(8, 3), torch.rand(8, 2)", "", "mse_loss"),
        ("lambda x: torch.sigmoid(x).mean()", "inputs = torch.rand(3)", "mean"),
        ("lambda x, y: (x * y).mean()", "def make_inputs():\n    return torch.rand(3), torch.rand(3)", "mean"),
        ("dict(module=lambda x, y: (x * y).mean(), inputs={'y': torch.rand(3)}, x=torch.rand(3))", "", "mean"),
    ],
)
def test_what_a_function_may_return(shown, made, given, operation):
    one = shown(f"import torch\n{given}\ndef make():\n    return {made}\n")
    index = one.window.trace.stepping.index
    assert index is not None, note(one).text
    assert operation in {node.operation for node in index.trace.nodes}


def test_the_calls_that_led_to_an_error_are_those_of_the_file(shown, qtbot):
    one = shown("import torch\n\ndef make():\n    return 1 / 0\n")
    assert one.window.trace.error.traceback.splitlines()[1] == f'  File "{one._file.path}", line 4, in make'
    note(one).buttons["Traceback…"].click()
    box = next(child for child in one.window.children() if child.objectName() == "" and type(child).__name__ == "QMessageBox")
    assert "ZeroDivisionError" in box.text() and note(one)
    box.close()


@pytest.mark.parametrize(
    "text",
    [
        "while True:\n    pass\n",
        "import time\ndef make():\n    time.sleep(1000)\n    return 1\n",
        "import torch\nclass Net(torch.nn.Module):\n    def forward(self, x):\n        while True:\n            pass\n"
        "def make():\n    print('made', flush=True)\n    return Net(), torch.rand(3)\n",
    ],
)
def test_what_does_not_end_is_cancelled_within_three_seconds(shown, qtbot, text):
    one = shown(text, until=lambda window: window.trace.seconds > 3 if "forward" in text else window.trace.seconds > 1.2)
    assert one.window.busy_line.button.isVisible()
    began = time.perf_counter()
    one.window.busy_line.button.click()
    qtbot.waitUntil(lambda: not one.window.trace.busy, timeout=10_000)
    assert time.perf_counter() - began <= 3
    assert "was cancelled" in note(one).text and not one.has_failed
    one.program._process.wait(3)


def test_what_was_shown_stays_where_another_detail_does_not_end(shown, qtbot):
    loops = "import torch\nclass Net(torch.nn.Linear):\n    calls = 0\n    def forward(self, x):\n        self.calls += 1\n"
    loops += "        while self.calls > 1:\n            pass\n        return super().forward(x).tanh().sum()\n"
    one = shown(f"{loops}def make():\n    return Net(40, 40), torch.rand(200, 40)\n")
    trace, index = one.window.trace, one.window.trace.stepping.index
    one.window.graph.detail.chosen.emit("layer")
    qtbot.waitUntil(lambda: trace.seconds > 1.2, timeout=5000)
    large = next(node.id for node in index.trace.nodes if node.operation == "linear")
    trace.stepping.set_sample(3)
    trace.want_numbers(large)  # it must not wait for what never ends
    one.window.busy_line.button.click()
    qtbot.waitUntil(lambda: not trace.busy, timeout=3000)
    assert trace.stepping.index is index and trace.stepping.detail == "textbook"
    assert "what is shown stays" in note(one).text and "Run it again" in note(one).buttons
    one.window.graph.detail.chosen.emit("math")
    qtbot.waitUntil(lambda: not trace.busy, timeout=3000)
    assert "did not let itself be interrupted" in one.window.toast.text


def test_what_the_file_has_started_ends_with_its_window(shown, qtbot, tmp_path):
    pid = tmp_path / "pid"
    started = f"import subprocess\nopen({str(pid)!r}, 'w').write(str(subprocess.Popen(['sleep', '1000']).pid))\n"
    one = shown(started + NET)
    one.window.close()
    one.program.kill()
    deadline = time.monotonic() + 3
    stat = Path("/proc", pid.read_text(), "stat")
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_after_a_change_it_is_run_again_only_once_that_was_agreed_to(shown, qtbot):
    one = shown(NET)
    one._file.path.write_text(NET.replace("1)", "2)"))
    qtbot.waitUntil(lambda: "file changed" in one.window.notes.notes, timeout=5000)
    one.window.notes.notes["file changed"].buttons["Run it again"].click()
    sheet = next(child for child in one.window.children() if type(child).__name__ == "PythonSheet")
    assert one.again is None and one.window.isVisible() and "can do whatever you can do" in sheet.told.text()
    sheet.leave.click()
    assert one.again is None and one.window.isVisible()
    one.run_again()
    next(child for child in one.window.children() if type(child).__name__ == "PythonSheet" and child.isVisible()).run.click()
    assert one.again.digest != one._file.digest and not one.window.isVisible()


def test_a_module_beside_it_that_changes_is_asked_about_too(shown, qtbot):
    one = shown(GOOD)
    neighbour = one._file.path.with_name("neighbour.py")
    neighbour.write_text("width = 5\n")
    qtbot.waitUntil(lambda: "file changed" in one.window.notes.notes, timeout=5000)
    assert one.window.notes.notes["file changed"].text.startswith("neighbour.py has changed")
    one.run_again()
    sheet = next(child for child in one.window.children() if type(child).__name__ == "PythonSheet")
    assert "imports from its folder: neighbour.py." in sheet.told.text() and "installed packages" in sheet.told.text()
    sheet.leave.click()


def test_nothing_runs_where_a_module_beside_it_changed_after_the_consent(written):
    file = written(GOOD)
    file.path.with_name("neighbour.py").write_text("raise SystemExit('it ran')\n")
    with pytest.raises(TraceError, match="or what it imports from its folder, has changed"):
        FileRecording(file.path, "make").make(file.digest)


def test_a_file_that_was_mended_is_run_again_in_the_place_of_the_first(written, qtbot):
    file, seen = written("def make():\n    return 1 / 0\n"), []

    def look():
        windows = [one for one in QApplication.topLevelWidgets() if isinstance(one, TraceWindow) and one.isVisible()]
        if windows and not windows[0].trace.busy:
            window = windows[0]
            seen.append(window.trace.stepping.index is not None)
            if seen[-1]:
                window.close()
                return
            agree(written(NET))
            window.notes.notes["file"].buttons["Run it again"].click()
        QTimer.singleShot(20, look)

    QTimer.singleShot(0, look)
    assert show_file(file, "make") == 0 and seen == [False, True]


# --- the command ---


def command(*words, said=None):
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-m", "nnviz", *map(str, words)]
    return subprocess.run(program, env=environment, input=said, capture_output=True, text=True, timeout=60)


def test_without_a_terminal_nothing_is_run_unless_it_was_agreed_to(written, tmp_path):
    marker = tmp_path / "it ran"
    path = written(f"open({str(marker)!r}, 'w').close()\n{NET}").path
    done = command(path, said="y\n")
    assert done.returncode == 2 and "add --yes" in done.stderr and not marker.exists()
    several = written(f"open({str(marker)!r}, 'w').close()\n{NET}\ndef other():\n    return make()\n").path
    done = command(several, "--yes")
    assert done.returncode == 2 and f"nnviz {path}:other" in done.stderr and not marker.exists()


def test_a_window_runs_only_what_was_agreed_to(written, tmp_path):
    marker = tmp_path / "it ran"
    path = written(f"open({str(marker)!r}, 'w').close()\n{NET}").path
    done = command("--python-window", path, "make", "0" * 64)
    assert done.returncode == 1 and "has changed since you agreed" in done.stderr and not marker.exists()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals of this kind")
def test_in_a_terminal_it_is_asked_first_and_no_is_the_answer_by_default(written, tmp_path):
    marker = tmp_path / "it ran"
    path = written(f"open({str(marker)!r}, 'w').close()\n{NET}").path
    ours, theirs = os.openpty()
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-m", "nnviz", f"{path}:make"], env=environment, stdin=theirs, stderr=subprocess.PIPE)
    os.write(ours, b"\n")
    said = process.communicate(timeout=30)[1].decode()
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 1 and not marker.exists()
    assert "Run model.py and call make? It can do whatever you can do. [y/N] " in said and "Nothing was run." in said


def test_the_command_opens_a_window_without_torch_and_sigterm_leaves_no_process(written, tmp_path):
    pid = tmp_path / "pid"
    path = written(f"import os\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\n{NET}").path
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-m", "nnviz", str(path), "--yes"], env=environment)
    deadline = time.monotonic() + 30
    while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    maps = Path("/proc", str(process.pid), "maps")
    assert pid.read_text() != str(process.pid) and (not maps.exists() or "libtorch" not in maps.read_text())
    process.terminate()
    assert process.wait(10) == 0
    assert not Path("/proc", pid.read_text()).exists()
