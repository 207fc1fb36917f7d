"""A matrix of numbers as a small picture, in the colours of a theme."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QColor, QImage

from nnviz.ui.theme.colors import Theme
from nnviz.ui.widgets.scales import share_of


def image_of(values: np.ndarray, theme: Theme) -> QImage:
    """Return (height, width) values as a picture from the ground of fields (least) to the colour of text (most)."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    share = np.nan_to_num(share_of(values, low, high))[..., None]
    ground, ink = (np.array(QColor(name).getRgb()[:3]) for name in (theme.field, theme.text))
    pixels = np.ascontiguousarray(np.rint(ground + (ink - ground) * share).astype(np.uint8))
    height, width = values.shape
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
