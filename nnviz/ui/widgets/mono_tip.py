"""Tooltips whose columns stand below each other."""

from __future__ import annotations

import html

from nnviz.ui.theme.colors import SMALL
from nnviz.ui.theme.fonts import mono


def mono_tip(text: str) -> str:
    """Return a text as a tooltip shows it; where rows of numbers stand in it, in the font of numbers."""
    if "\n" not in text or "[" not in text:
        return text
    return f"<pre style=\"font-family:'{mono(SMALL).family()}'; font-size:{round(SMALL + 1)}px; margin:0\">{html.escape(text)}</pre>"
