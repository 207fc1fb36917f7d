"""Keys of the window's actions: Qt answers none of two actions that have the same one."""

from __future__ import annotations

from collections import Counter

from PySide6.QtGui import QKeySequence

from nnviz.ui.shell.actions import OFFERED


def test_no_two_actions_have_the_same_key():
    acts = [act for offered in OFFERED.values() for act in offered]
    keys = Counter(key.toString() for act in acts for key in QKeySequence.listFromString(act.keys) if act.keys)
    assert len(keys) > 80 and [key for key, count in keys.items() if count > 1] == []
