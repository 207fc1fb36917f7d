from __future__ import annotations

import pytest

from tests.ui import engine_host


@pytest.fixture(scope="session")
def lent_engine():
    """Python's arguments for an engine that needs not load torch first. Who tests how an engine starts or dies takes one of its own."""
    yield from engine_host.lend()
