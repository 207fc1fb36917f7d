"""nnviz: a desktop microscope for neural networks. Importing it loads neither torch nor Qt.

`capture`, `show`, `to_json`, `watch` and `check_gradients` load what they need when they are asked for.
"""

from __future__ import annotations

from typing import Any

from nnviz.version import __version__

__all__ = ["Stopped", "__version__", "capture", "check_gradients", "show", "to_json", "watch"]


def __getattr__(name: str) -> Any:
    if name == "capture":
        from nnviz.trace import capture

        return capture
    if name == "check_gradients":
        from nnviz.viewing.gradient_checking import check_gradients

        return check_gradients
    if name == "show":
        from nnviz.viewing.viewing import show

        return show
    if name == "to_json":
        from nnviz.viewing.viewing import to_json

        return to_json
    if name in ("Stopped", "watch"):
        from nnviz import watching

        return getattr(watching, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
