"""Live plots of a run. Every plot shows a RunState or a Moment in the colours of a Theme; none changes a document or asks the engine.

What has axes is drawn by pyqtgraph (axes.py); ridges and the rows of the optimizer, which no library has, with QPainter.
"""

from nnviz.ui.plots.boundary import BoundaryPlot
from nnviz.ui.plots.framing import framed
from nnviz.ui.plots.gradient_norm import GradientNormPlot
from nnviz.ui.plots.histogram import HistogramPlot
from nnviz.ui.plots.loss import LossPlot
from nnviz.ui.plots.metric import MetricPlot
from nnviz.ui.plots.microscope import OptimizerMicroscope
from nnviz.ui.plots.plot import Plot

__all__ = ["BoundaryPlot", "GradientNormPlot", "HistogramPlot", "LossPlot", "MetricPlot", "OptimizerMicroscope", "Plot", "framed"]
