"""Where every start begins: the engine process, or the command line. It must not import Qt or torch before it is known which."""

from __future__ import annotations

import sys


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    try:
        if sys.argv[1:2] == ["--engine"]:
            from nnviz.engine.process import serve

            return serve()
        from nnviz.cli import main as command_line

        return command_line(sys.argv[1:])
    except KeyboardInterrupt:  # while the libraries are being loaded
        return 130


if __name__ == "__main__":
    sys.exit(main())
