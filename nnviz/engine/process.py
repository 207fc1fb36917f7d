"""The engine as a process of its own: it loads torch and serves until stdin ends. Started by `python -m nnviz --engine`."""

from __future__ import annotations

import os
import signal
import sys

from nnviz import messages
from nnviz.engine.frame_channel import FrameChannel
from nnviz.engine.loading import loading

CURE = "Install it with: pip install torch==2.13.0"


def serve() -> int:
    """Answer requests until stdin ends; return the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is the window's to handle; it closes our stdin
    channel = FrameChannel.over_stdio()
    with loading():
        try:
            import torch
        except (ImportError, OSError) as error:
            channel.send(messages.Failed("start", f"The engine needs torch, which cannot be loaded ({error}).", CURE))
            channel.flush(1.0)
            return 1
        import nnviz.engine._service  # noqa: F401 (which `answer` needs)
    torch.set_num_threads(1)  # with two threads on a busy machine a small net is ten times slower
    answer(channel, str(torch.__version__))
    os._exit(0)  # there is nothing to tidy up, and with torch loaded Python takes a second to do it


def answer(channel: FrameChannel, version: str) -> None:
    """Say that the engine is ready, and answer requests until the window has gone. `version`: of torch."""
    from nnviz.engine._service import Service

    channel.send(messages.Ready(version))
    Service(channel.inbox, channel.send).run()
    sys.stdout.flush()
    channel.flush(0.2)
