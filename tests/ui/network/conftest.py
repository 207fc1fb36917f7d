"""A network picture with numbers, and all that it emits."""

from __future__ import annotations

import pytest

from tests.ui import traces
from tests.ui.network.networks import dropout_net
from tests.ui.network.views import open_view


@pytest.fixture
def view(qtbot):
    return open_view(qtbot, dropout_net(), traces.dropout_net())


@pytest.fixture
def emitted(view):
    """Everything the view emits, as (signal, arguments)."""
    seen = []
    for name in ("selected_changed", "node_requested", "add_requested", "insert_requested", "connect_requested", "disconnect_requested"):
        getattr(view, name).connect(lambda *values, name=name: seen.append((name, *values)))
    for name in ("delete_requested", "move_requested", "weight_requested", "neuron_hovered", "reconnect_requested", "splice_requested"):
        getattr(view, name).connect(lambda *values, name=name: seen.append((name, *values)))
    for name in ("rename_requested", "tidy_requested", "fix_requested"):
        getattr(view, name).connect(lambda *values, name=name: seen.append((name, *values)))
    return seen
