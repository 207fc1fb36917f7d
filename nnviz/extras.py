"""Libraries that one job alone needs: they are optional, and a job that lacks them says the line that installs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class MissingExtra(ImportError):
    """An optional library is not installed; the text says what cannot be done and how to install it."""


@contextmanager
def extra(name: str, job: str) -> Iterator[None]:
    """Import the libraries of an extra inside: `with extra("video", "A recording"): import av`. `job` begins the sentence that refuses.

    Raises MissingExtra where one of them is not there.
    """
    try:
        yield
    except ImportError as error:
        missing = (error.name or "a library").partition(".")[0]
        raise MissingExtra(f'{job} needs {missing}, which is not installed. Install it with: pip install "nnviz[{name}]"') from None
