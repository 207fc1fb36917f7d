"""What one training iteration did, step by step, for any `nn.Module`.

A library by itself: it must know nothing of the nnviz around it.
"""

from .iteration import capture
from .neurons import Link, Neuron, open_neurons
from .openers import DETAILS
from .record import PHASES, Call, Clipping, Contribution, Node, Row, Step, TraceError, Update, ValueRead
from .replay import replay
from .schedule import Cursor
from .trace import Trace
from .verify import finite_difference

__all__ = [
    "DETAILS", "PHASES", "Call", "Clipping", "Contribution", "Cursor", "Link", "Neuron", "Node", "Row", "Step", "Trace",
    "TraceError", "Update", "ValueRead", "capture", "finite_difference", "open_neurons", "replay",
]  # fmt: skip
