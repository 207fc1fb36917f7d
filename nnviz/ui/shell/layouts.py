"""Which panels stand where in each workspace, as data. No Qt: the command line reads the names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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

    def only(self, names: Collection[str]) -> Split:
        """Return the same split with these panels alone."""
        kept = ((share, part.only(names) if isinstance(part, Split) else part) for share, part in self.parts)
        return Split(
            self.direction, tuple((share, part) for share, part in kept if (part.parts if isinstance(part, Split) else part in names))
        )


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
                (560, "sweep"),
                (430, "hindsight"),
                (380, row((330, "ratios"), (330, "units"), (330, "spread"))),
                (380, row((330, "rates"), (330, "curve"), (330, "modes"), (330, "noise"))),
            ),
        ),
        (420, column((370, "network"), (520, "microscope"))),
    ),
    "learn": row(
        (350, "lesson"),
        (
            850,
            column(
                (250, "network"),
                (470, "graph"),
                (330, row((560, "loss"), (440, "boundary"))),
                (330, row((350, "histograms"), (330, "norms"), (320, "metric"))),
                (330, row((400, "landscape"), (400, "curvature"), (330, "range_test"))),
                (400, row((560, "baselines"), (440, "distances"))),
                (330, "batch_costs"),
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
    "train": {"doctor", "runs", "sweep", "hindsight"} | _ASKED_FOR | _LAYERS | _INSIDE,
}
"""Panels that a workspace has and does not show until it is asked to."""

_FORMS = {"layers", "training", "properties", "parameters"}
"""Where something is set: nobody looks at it from afar."""
_PRESENTED = {"build": ("network",), "step": ("graph", "inspector"), "train": ("loss", "boundary", "histograms", "norms")}
_MOST = 4
"""Panels that can be read from afar at once, beside a lesson as many as its step shows."""
_WIDTHS = {"lesson": 270, "inspector": 366, "middle": 330}
"""Pixels that these need at 100 %."""


def presented(workspace: str, shown: Sequence[str], asked: str, room: int, scale: float) -> Split:
    """Return what of a workspace, of which `shown` can be seen, is shown from afar: what it is about, and what a person has asked for.

    `asked`: what the question of a lesson asks for, which decides whether the settings or the network have to be seen.
    `room`: pixels that all have side by side; `scale`: the size of texts.
    """
    chosen = [name for name in shown if name not in _FORMS or (asked == "change" and name == "training")]
    if workspace == "learn" and "graph" in chosen and asked != "click":
        chosen = [name for name in chosen if name != "network"]
    elif workspace != "learn":
        designed = set(WORKSPACES[workspace].panels()) - HIDDEN.get(workspace, set())
        asked_for = [name for name in chosen if name not in designed][:_MOST]
        usual = [name for name in _PRESENTED[workspace] if name in chosen][: _MOST - len(asked_for)]
        chosen = [*usual, *asked_for] or chosen[:_MOST]
    return _spread(WORKSPACES[workspace].only(chosen or shown[:1]), room, scale)


def _spread(tree: Split, room: int, scale: float) -> Split:
    """The columns with the room they need; those right of the lesson below each other where it is too narrow for them."""
    lesson, card, middle = (round(_WIDTHS[name] * scale) for name in ("lesson", "inspector", "middle"))
    is_lesson = "lesson" in tree.panels()
    left = min(lesson, room // 2) if is_lesson else 0
    columns = tree.parts[1:] if is_lesson else tree.parts
    if len(columns) == 2 and room - left - card >= middle:
        rest = ((room - left - card, columns[0][1]), (card, columns[1][1]))
    else:
        rows = tuple(row for _, one in columns for row in one.parts)
        rest = ((room - left, Split("column", rows)),) if rows else ()
    return Split("row", ((left, "lesson"), *rest) if is_lesson else rest)
