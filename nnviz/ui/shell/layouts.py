"""Which panels stand where in each workspace, as data. No Qt: the command line reads the names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Split:
    """Panels (by name) or further splits side by side ("row") or above each other ("column"), with their shares of the room."""

    direction: str
    parts: tuple[tuple[int, Split | str], ...]

    def panels(self) -> tuple[str, ...]:
        """Return the names of all panels in it."""
        return tuple(name for _, part in self.parts for name in (part.panels() if isinstance(part, Split) else (part,)))

    def splits(self) -> tuple[Split, ...]:
        """Return this split and all within it, from the outermost inwards."""
        return (self, *(inner for _, part in self.parts if isinstance(part, Split) for inner in part.splits()))

    def swapped(self, first: str, second: str) -> Split:
        """Return the same split with two panels in each other's places."""
        names = {first: second, second: first}
        parts = ((share, part.swapped(first, second) if isinstance(part, Split) else names.get(part, part)) for share, part in self.parts)
        return Split(self.direction, tuple(parts))


def row(*parts: tuple[int, Split | str]) -> Split:
    """Return a split with its parts side by side."""
    return Split("row", parts)


def column(*parts: tuple[int, Split | str]) -> Split:
    """Return a split with its parts above each other."""
    return Split("column", parts)


_PICTURES = (
    (330, row((400, "confusion"), (300, "weight_picture"), (300, "columns"), (300, "feature_maps"))),
    (330, row((300, "attention"), (300, "unit_maps"), (300, "latent"), (300, "time_steps"))),
)
"""Pictures of the inside of the net, which are shown when they are asked for: rows of a column."""

WORKSPACES = {
    "build": row(
        (240, column((540, "layers"), (372, "training"))),
        (1002, column((610, "network"), (270, row((330, "boundary"), (330, "loss"), (330, "histograms"))))),
        (330, column((560, "properties"), (320, "parameters"))),
    ),
    "step": row(
        (
            1192,
            column(
                (715, row((240, "training"), (952, column((262, "network"), (442, "graph"))))),
                (196, row((300, "loss"), (250, "boundary"), (300, "histograms"), (300, "norms"), (300, "curve"))),
                *_PICTURES,
            ),
        ),
        (378, column((591, "inspector"), (285, "batch"), (320, "doctor"), (320, "microscope"))),
    ),
    "train": row(
        (240, column((560, "training"), (330, "parameters"))),
        (
            932,
            column(
                (470, row((560, "loss"), (440, "boundary"))),
                (410, row((350, "histograms"), (330, "norms"), (320, "metric"))),
                (440, row((400, "landscape"), (400, "curvature"), (330, "range_test"))),
                (400, row((560, "baselines"), (440, "distances"))),
                (330, "batch_costs"),
                *_PICTURES,
                (560, "doctor"),
                (460, "runs"),
                (430, "hindsight"),
                (380, row((330, "ratios"), (330, "units"), (330, "spread"))),
                (380, row((330, "rates"), (330, "curve"), (330, "modes"), (330, "noise"))),
            ),
        ),
        (420, column((370, "network"), (520, "microscope"))),
    ),
    "learn": row(
        (350, "lesson"),
        (400, "teach"),
        (
            850,
            column(
                (250, "network"),
                (470, "graph"),
                (330, row((560, "loss"), (440, "boundary"))),
                (330, row((350, "histograms"), (330, "norms"), (320, "metric"))),
                (330, row((400, "landscape"), (400, "curvature"), (330, "range_test"))),
                *_PICTURES,
                (300, "runs"),
                (330, "hindsight"),
                (330, row((330, "ratios"), (330, "units"), (330, "spread"))),
                (330, row((330, "rates"), (330, "curve"), (330, "modes"), (330, "noise"))),
            ),
        ),
        (
            360,
            column(
                *((591, "inspector"), (420, "training"), (285, "batch"), (420, "properties")),
                *((320, "parameters"), (320, "doctor"), (320, "microscope")),
            ),
        ),
    ),
}
"""Shares are pixels of the 1600×1000 window of the design."""

_INSIDE = {name for _, part in _PICTURES for name in part.panels()}
_LAYERS = {"ratios", "units", "spread", "rates", "curve", "modes", "noise"}
_ASKED_FOR = {"landscape", "curvature", "range_test", "baselines", "distances", "batch_costs"}
HIDDEN = {
    "step": {"batch", "curve", "doctor"} | _INSIDE,
    "learn": set(WORKSPACES["learn"].panels()) - {"lesson", "network", "graph", "inspector"},
    "train": {"doctor", "runs", "hindsight"} | _ASKED_FOR | _LAYERS | _INSIDE,
}
"""Panels that a workspace has and does not show until it is asked to."""
