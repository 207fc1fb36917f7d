"""What one training iteration did, step by step, for any `nn.Module`."""

from ._iteration import capture, module_of
from ._scalars import Scalar, ScalarLink, Scalars, ScalarStep, TooManyScalars, open_scalars
from .first_non_finite import NonFinite, first_non_finite
from .interruption import interrupted_by
from .masked import masked_scores
from .openers import DETAILS, NoSuchGroup
from .record import PHASES, Call, Clipping, Contribution, Node, Row, Step, TraceError, Update, ValueRead
from .replay import replay
from .scopes import called_at, user_line
from .tape import grouped
from .trace import Cursor, Trace
from .updates import real_step
from .verify import Agreement, agreements, finite_difference
from .what_if import ValueChange

__all__ = [
    "DETAILS", "PHASES", "Agreement", "Call", "Clipping", "Contribution", "Cursor", "NoSuchGroup", "Node", "NonFinite", "Row",
    "Scalar", "ScalarLink", "ScalarStep", "Scalars", "Step", "TooManyScalars", "Trace", "TraceError", "Update", "ValueChange", "ValueRead",
    "agreements", "called_at", "capture", "finite_difference", "first_non_finite", "grouped", "interrupted_by", "masked_scores",
    "module_of", "open_scalars", "real_step", "replay", "user_line",
]  # fmt: skip
