"""`nnviz.watch`: a person's own training loop, halted where a condition holds, its iteration stepped backward."""

from ._watched_loop import Stopped, WatchedLoop, watch

__all__ = ["Stopped", "WatchedLoop", "watch"]
