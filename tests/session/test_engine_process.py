"""The client against small programs that behave, or misbehave, like an engine. The engine itself: test_real_engine.py."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from nnviz import messages
from nnviz.session import engine_process
from nnviz.session.engine_process import EngineProcess

ECHO = """
import os, sys
from nnviz import messages
frames = messages.FrameReader()
def send(reply): os.write(1, messages.frame(reply))
send(messages.Ready("echo"))
while data := os.read(0, 65536):
    for body in frames.feed(data):
        request = messages.decode_request(body)
        send(messages.Moved(request.iteration, 0) if isinstance(request, messages.GoTo) else messages.Logged(type(request).__name__))
"""
DIES = "import sys; sys.stderr.write('no torch here\\n'); sys.exit(3)"
DEAF = "import time; time.sleep(60)"
BABBLES = "import os, time; os.write(1, b'this is no frame at all'); time.sleep(60)"
WRONG = "import os, time; os.write(1, b'\\x03\\x00\\x00\\x00abc'); time.sleep(60)"
WORKS_AND_DIES = """
import os
from nnviz import messages
os.write(1, messages.frame(messages.Ready("")) + messages.frame(messages.Moved(1, 0)))
"""


class Heard:
    """Keeps what a client says."""

    def __init__(self, client: EngineProcess) -> None:
        self.replies, self.stopped, self.failed, self.starts, self.log = [], [], [], 0, ""
        client.replied.connect(self.replies.append)
        client.stopped.connect(self.stopped.append)
        client.failed.connect(self.failed.append)
        client.started.connect(self._count)
        client.logged.connect(self._log)

    def _count(self) -> None:
        self.starts += 1

    def _log(self, text: str) -> None:
        self.log += text


@pytest.fixture
def make(qapp):
    clients = []

    def make(code: str) -> tuple[EngineProcess, Heard]:
        client = EngineProcess(command=("-u", "-c", code))
        clients.append(client)
        return client, Heard(client)

    yield make
    for client in clients:
        client.stop()


@pytest.fixture
def quick(monkeypatch):
    """No waiting between starts."""
    monkeypatch.setattr(engine_process, "DELAYS", (0, 0, 0))


def is_alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists() and "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()


def test_requests_go_out_and_replies_come_back_in_order(make, qtbot):
    client, heard = make(ECHO)
    client.send(messages.Pause())
    client.start()
    client.start()
    qtbot.waitUntil(lambda: heard.replies == [messages.Ready("echo")], timeout=10_000)
    for iteration in range(500):
        client.send(messages.GoTo(iteration))
    qtbot.waitUntil(lambda: len(heard.replies) == 501, timeout=10_000)
    assert heard.replies[1:] == [messages.Moved(iteration, 0) for iteration in range(500)]
    assert heard.starts == 1


def test_what_is_sent_while_it_starts_arrives(make, qtbot):
    client, heard = make(ECHO)
    client.started.connect(lambda: client.send(messages.Pause()))
    client.start()
    qtbot.waitUntil(lambda: messages.Logged("Pause") in heard.replies, timeout=10_000)


@pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
def test_a_killed_engine_is_noticed_within_a_second_and_another_can_be_started(make, qtbot):
    client, heard = make(ECHO)
    client.start()
    qtbot.waitUntil(lambda: len(heard.replies) == 1, timeout=10_000)
    killed, at = client.process_id, time.monotonic()
    os.kill(killed, signal.SIGKILL)
    qtbot.waitUntil(lambda: heard.stopped != [], timeout=1000)
    assert time.monotonic() - at < 1
    assert heard.stopped == ["The engine was ended by signal 9."]
    assert (client.process_id, is_alive(killed)) == (0, False)
    client.send(messages.Pause())
    client.start()
    qtbot.waitUntil(lambda: len(heard.replies) == 2, timeout=10_000)


def test_after_three_early_deaths_it_gives_up_and_says_what_the_engine_wrote(make, qtbot, quick):
    client, heard = make(DIES)
    client.stopped.connect(client.start)
    client.start()
    qtbot.waitUntil(lambda: heard.failed != [], timeout=10_000)
    assert heard.stopped == ["The engine ended by itself with exit code 3."] * 2
    assert "no torch here" in heard.failed[0]
    assert heard.starts == 3
    assert heard.log == "no torch here\n" * 3
    client.start()
    qtbot.waitUntil(lambda: len(heard.failed) == 2, timeout=10_000)
    assert heard.starts == 6, "a person may always try again"


def test_each_early_death_makes_the_next_start_wait_longer(make, qtbot, monkeypatch):
    monkeypatch.setattr(engine_process, "DELAYS", (0, 200, 600))
    client, heard = make(DIES)
    client.stopped.connect(client.start)
    starts = []
    client.started.connect(lambda: starts.append(time.monotonic()))
    client.start()
    qtbot.waitUntil(lambda: heard.failed != [], timeout=10_000)
    assert starts[1] - starts[0] >= 0.9 * 0.2  # coarse timers of Qt may come a twentieth early
    assert starts[2] - starts[1] >= 0.9 * 0.6


def test_an_engine_that_has_worked_may_die_as_often_as_it_likes(make, qtbot, quick):
    client, heard = make(WORKS_AND_DIES)
    client.stopped.connect(client.start)
    client.start()
    qtbot.waitUntil(lambda: len(heard.stopped) >= 5, timeout=20_000)
    assert heard.failed == []


@pytest.mark.parametrize("code", [BABBLES, WRONG])
def test_an_engine_that_sends_something_else_is_ended(make, qtbot, code):
    client, heard = make(code)
    processes = []
    client.started.connect(lambda: processes.append(client.process_id))
    client.start()
    qtbot.waitUntil(lambda: heard.stopped != [], timeout=10_000)
    assert heard.stopped[0].startswith("The engine sent something that is no reply")
    assert not is_alive(processes[0])


def test_a_program_that_cannot_be_started(make, qtbot, quick, monkeypatch):
    monkeypatch.setattr(engine_process.sys, "executable", "/nowhere/python")
    client, heard = make(ECHO)
    client.stopped.connect(client.start)
    client.start()
    qtbot.waitUntil(lambda: heard.failed != [], timeout=5000)
    assert heard.failed[0].startswith("The engine could not be started")
    assert heard.starts == 0


@pytest.mark.parametrize(("code", "longest"), [(ECHO, 1.0), (DEAF, 2.0)])
def test_stop_leaves_no_process_and_says_nothing(make, qtbot, code, longest):
    client, heard = make(code)
    client.start()
    qtbot.waitUntil(lambda: heard.starts == 1, timeout=5000)
    if code == ECHO:
        qtbot.waitUntil(lambda: heard.replies != [], timeout=10_000)
    process, at = client.process_id, time.monotonic()
    client.stop()
    client.stop()
    assert time.monotonic() - at < longest
    assert not is_alive(process)
    qtbot.wait(50)
    assert (heard.stopped, heard.failed, client.process_id) == ([], [], 0)


def test_stop_before_it_has_started(make, qtbot):
    client, heard = make(ECHO)
    client.start()
    client.stop()
    qtbot.wait(50)
    assert (heard.starts, client.process_id) == (0, 0)


def test_a_reply_may_stop_the_engine(make, qtbot):
    client, heard = make(WORKS_AND_DIES)
    client.replied.connect(lambda reply: client.stop())
    client.start()
    qtbot.waitUntil(lambda: heard.replies != [], timeout=10_000)
    qtbot.wait(50)
    assert (heard.replies, heard.stopped) == ([messages.Ready("")], [])


def test_the_engine_finds_this_package_and_no_other(make, qtbot, tmp_path, monkeypatch):
    """Whatever lies in the present folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "msgspec.py").write_text("raise RuntimeError('not me')")
    (tmp_path / "nnviz").mkdir()
    client = EngineProcess()
    heard = Heard(client)
    client.start()
    qtbot.waitUntil(lambda: heard.replies != [] or heard.stopped != [], timeout=60_000)
    client.stop()
    assert isinstance(heard.replies[0], messages.Ready)
