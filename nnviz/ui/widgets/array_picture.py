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


def signed_image(values: np.ndarray, limit: float, theme: Theme) -> QImage:
    """Return (height, width) values as a picture: negative · panel · positive, full at ±limit; what is not finite is hatched."""
    share = np.minimum(np.abs(np.nan_to_num(values)) / (limit or 1.0), 1.0)[..., None]
    panel, positive, negative = (np.array(QColor(name).getRgb()[:3]) for name in (theme.panel, theme.positive, theme.negative))
    return _picture(panel + (np.where(values[..., None] >= 0, positive, negative) - panel) * share, values, theme)


def share_image(values: np.ndarray, limit: float, theme: Theme) -> QImage:
    """Return (height, width) values from 0 on as a picture: from the panel (0) to the colour of positive values (limit)."""
    share = np.minimum(np.abs(np.nan_to_num(values)) / (limit or 1.0), 1.0)[..., None]
    panel, full = (np.array(QColor(name).getRgb()[:3]) for name in (theme.panel, theme.positive))
    return _picture(panel + (full - panel) * share, values, theme)


def _picture(colors: np.ndarray, values: np.ndarray, theme: Theme) -> QImage:
    bad, (rows, columns) = ~np.isfinite(values), np.indices(values.shape)
    loss = np.array(QColor(theme.loss).getRgb()[:3])
    colors = np.where((bad & ((rows + columns) % 2 == 0))[..., None], loss, colors)
    pixels = np.ascontiguousarray(np.rint(colors).astype(np.uint8))
    height, width = values.shape
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
