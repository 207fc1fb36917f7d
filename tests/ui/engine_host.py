"""One engine for many windows, each with a Service of its own: torch is loaded once. `lend` starts it; the module is the process."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from nnviz.engine import frame_channel
from nnviz.engine.loading import loading
from nnviz.session.engine_process import COMMAND

RELAY = Path(__file__).with_name("engine_relay.py")
ROOT = Path(__file__).resolve().parents[2]


def lend() -> Iterator[tuple[str, ...]]:
    """Yield Python's arguments for a process that takes the place of an engine; afterwards the engine behind it is gone."""
    if not hasattr(socket, "send_fds"):
        yield COMMAND
        return
    with tempfile.TemporaryDirectory(prefix="nnviz-") as folder, socket.socket(socket.AF_UNIX) as listener:
        path = str(Path(folder, "engine"))
        listener.bind(path)
        listener.listen()
        host = subprocess.Popen(
            [sys.executable, "-m", __name__, str(listener.fileno())], stdin=subprocess.PIPE, pass_fds=[listener.fileno()], cwd=ROOT
        )
        yield ("-E", "-S", str(RELAY), path, *COMMAND)
        host.stdin.close()
        assert host.wait(30) == 0


def main(listener: socket.socket) -> None:
    """Serve one window after the other until stdin ends."""
    with loading():
        import torch

        import nnviz.engine._service  # noqa: F401 (which `answer` needs)
    from nnviz.engine.process import answer

    frame_channel.GRACE = 10**8  # seconds: when a window goes, the process stays
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    parent, stderr = os.dup(0), os.dup(2)
    threading.Thread(target=lambda: os.read(parent, 1) or os._exit(0), daemon=True).start()
    free, windows = threading.Lock(), queue.SimpleQueue()
    threading.Thread(target=_accept, args=(listener, free, windows), daemon=True).start()
    while True:
        link, pipes = windows.get()
        for pipe, place in zip(pipes, range(3), strict=True):
            os.dup2(pipe, place)
            os.close(pipe)
        answer(frame_channel.FrameChannel.over_stdio(), str(torch.__version__))
        os.dup2(stderr, 2)
        free.release()
        link.close()


def _accept(listener: socket.socket, free: threading.Lock, windows: queue.SimpleQueue) -> None:
    """Tell every relay whether the engine is free. Two at once would draw from the same random numbers."""
    while True:
        link = listener.accept()[0]
        pipes = socket.recv_fds(link, 1, 3)[1]
        if free.acquire(blocking=False):
            windows.put((link, pipes))
            link.send(b"!")
        else:
            for pipe in pipes:
                os.close(pipe)
            link.send(b"-")
            link.close()


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
