"""What one training iteration did, step by step, for any `nn.Module`.

A library by itself, which takes its formulas from the table of operations.
"""

from .iteration import capture
from .openers import DETAILS, NoSuchGroup
from .record import PHASES, Call, Clipping, Contribution, Node, Row, Step, TraceError, Update, ValueRead
from .replay import replay
from .scalars import Scalar, ScalarLink, Scalars, ScalarStep, TooManyScalars, open_scalars
from .schedule import Cursor
from .tape import grouped
from .trace import Trace
from .verify import Agreement, agreements, finite_difference
from .what_if import WhatIf

__all__ = [
    "DETAILS", "PHASES", "Agreement", "Call", "Clipping", "Contribution", "Cursor", "NoSuchGroup", "Node", "Row",
    "Scalar", "ScalarLink", "ScalarStep", "Scalars", "Step", "TooManyScalars", "Trace", "TraceError", "Update", "ValueRead", "WhatIf",
    "agreements", "capture", "finite_difference", "grouped", "open_scalars", "replay",
]  # fmt: skip
