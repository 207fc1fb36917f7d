"""How torch is loaded: once, while the garbage collector rests."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Import torch inside, and whatever needs it; later calls change nothing.

    What is loaded stays to the end, so the collector need look through it neither meanwhile, nor afterwards, nor when the process ends:
    that is a third of the time.
    """
    if "torch" in sys.modules:
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
