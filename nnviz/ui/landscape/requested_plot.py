"""A picture that is computed on request: before there is one it says what it would show, or why it could not be found."""

from __future__ import annotations

from nnviz.ui.widgets.plot import Plot


class RequestedPlot(Plot):
    """Abstract, as Plot is."""

    failure = ""
    """Why there is no result; empty if nothing has failed."""

    def set_failure(self, text: str) -> None:
        """Say this where there is nothing to show."""
        if text != self.failure:
            self.failure = text
            self.renew()
