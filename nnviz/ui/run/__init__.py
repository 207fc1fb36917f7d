"""Live plots of a run. Every plot shows a RunState or a TraceState in the colours of a Theme; none changes a document or asks the engine.

What has axes is drawn by pyqtgraph (axes.py); ridges and the rows of the optimizer, which no library has, with QPainter.
"""

from nnviz.ui.run.boundary import BoundaryPlot
from nnviz.ui.run.gradient_norm import GradientNormPlot
from nnviz.ui.run.histogram import HistogramPlot
from nnviz.ui.run.loss_plot import LossPlot
from nnviz.ui.run.metric import MetricPlot
from nnviz.ui.step.microscope import OptimizerMicroscope
from nnviz.ui.widgets.plot import Plot
from nnviz.ui.widgets.plot_card import framed

__all__ = ["BoundaryPlot", "GradientNormPlot", "HistogramPlot", "LossPlot", "MetricPlot", "OptimizerMicroscope", "Plot", "framed"]
