"""A person's own points as changes of the document: put one, erase one, take the rows there are. It paints nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnviz.document import edits
from nnviz.records.data_record import unscaled
from nnviz.session.session import Session


class OwnPoints:
    """For one window. Places on the plane of the answers are as the network sees them; the document keeps them as they were before."""

    def __init__(self, session: Session, edit: Callable[..., None]) -> None:
        """`edit` takes a label, a pure edit and what it is given, and applies it."""
        self._session, self._edit = session, edit

    def put(self, across: float, up: float, number: int) -> None:
        """Add a point of this class; the place is as the network sees it, after the scaling."""
        x, y = self._own_points()
        place = [float(f"{value:.5g}") for value in self._before_scaling(across, up)]
        self.ask("Put a point", [*x, place], [*y, number], "")

    def erase(self, across: float, up: float, reach_across: float, reach_up: float) -> None:
        """Erase the point nearest to a place, if one is within reach of it."""
        x, y = self._own_points()
        here, edge = self._before_scaling(across, up), self._before_scaling(across + reach_across, up + reach_up)
        reach = np.abs(edge - here)
        distances = np.hypot(*((np.array(x) - here) / np.where(reach > 0, reach, 1.0)).T) if x else np.ones(0)
        if distances.size and distances.min() <= 1:
            near = int(distances.argmin())
            self.ask("Erase a point", [*x[:near], *x[near + 1 :]], [*y[:near], *y[near + 1 :]], "")

    def adopt(self) -> None:
        """Take the rows there are as points of one's own."""
        from nnviz.ui.data.picker import adopted

        data = self._session.run.data
        points = adopted(data) if data else None
        if points:
            self.ask("Copy rows as points", *points, "")
            message = f"{len(points[1])} of {data.y.shape[0]} rows are points of your own now: the run begins anew."
            self._session.post("info", f"{message} Undo brings the old data back.")

    def _own_points(self) -> tuple[list, list]:
        data = self._session.experiment.data
        return (list(data["x"]), list(data["y"])) if data.kind == "table" else ([], [])

    def _before_scaling(self, across: float, up: float) -> np.ndarray:
        session, place = self._session, np.array([across, up])
        if session.run.data is None or session.experiment.data.settings.get("scaling", "none") == "none":
            return place
        return unscaled(session.run.data, place[None])[0]

    def ask(self, label: str, x: list, y: list, merge: str) -> None:
        """Let the document hold these points and class numbers, as one change."""
        if self._session.experiment.data.kind == "table":
            self._edit(label, edits.change_data, merge=merge, x=x, y=y)
        else:
            self._edit(label, edits.choose_data, "table", merge=merge, x=x, y=y)
