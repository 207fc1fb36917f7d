"""Live plots of a run. Every plot shows a RunState or a Moment in the colours of a Theme; none changes a document or asks the engine.

All are painted with QPainter: importing pyqtgraph takes longer than Qt and numpy together, drawing with it twice as long, and its
cosmetic pens come out as bands in SVG.
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
