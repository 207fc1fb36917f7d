"""Where every start begins: the engine process, or the command line. It must not import Qt or torch before it is known which."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # libraries print a traceback when they are interrupted while they load
    if sys.argv[1:2] == ["--engine"]:
        from nnviz.engine.process import serve

        return serve()
    if sys.argv[1:2] == ["--window"]:
        from nnviz.ui.shell.window_of_program import serve as serve_window

        return serve_window()
    if sys.argv[1:2] == ["--program"]:
        from nnviz.viewing.file_program import serve as serve_file

        return serve_file(*sys.argv[2:5])
    if sys.argv[1:2] == ["--python-window"]:
        from nnviz.ui.shell.python_window import serve as serve_python_window

        return serve_python_window(*sys.argv[2:5])
    if sys.argv[1:2] == ["--sweep"]:
        from nnviz.sweeps.sweep_process import serve as serve_sweep

        return serve_sweep()
    if sys.argv[1:2] == ["--sweep-worker"]:
        from nnviz.sweeps.sweep_workers import serve as serve_worker

        return serve_worker()
    from nnviz.cli import main as command_line

    return command_line(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
