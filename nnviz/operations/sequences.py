"""What sequences are read with: looking up tokens, positions, recurrent nets."""

from __future__ import annotations

import math
from functools import partial

from nnviz.operations.operation import Gradient, Gradients, Operation
from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.sent_call import SentCall
from nnviz.operations.signature import Given
from nnviz.operations.writing import Substitution, numbers
from nnviz.text.numbers import place


def encoding(call: RecordedCall) -> Substitution:
    """Return an element of the buffer of positional encodings, which no operation makes. Source: Vaswani et al. 2017, section 3.5."""
    time, feature = call.place
    name, power = "cos" if feature % 2 else "sin", feature - feature % 2
    angle = time / 10_000 ** (power / call.node.shape[1])
    return Substitution(f"{name}({time}/10000^({power}/{call.node.shape[1]}))", getattr(math, name)(angle))


def _embedding_formula(given: Given) -> str:
    """`torch.embedding` has its arguments the other way round: of it nothing is said."""
    return "y = W[index]" if given["index"].kind in "iu" else ""


def _embedding_gradients(given: Given) -> Gradients:
    padding = given.get("padding_idx")
    ignored = "" if padding is None else f",  0 for i = {padding % given['weight'].shape[0]}"
    return {"weight": Gradient(f"Σ ∂L/∂y of the places that looked up i{ignored}", "W[i]")}


def _embedding(call: RecordedCall) -> Substitution:
    row = int(call.options["index"][call.place[:-1]])
    value = float(call.options["weight"][row, call.place[-1]])
    return Substitution(f"W{place((row, call.place[-1]))}", value)


def _to_looked_up(sent: SentCall) -> Substitution:
    """A row of W: what arrives at all the places that looked it up."""
    row, feature = sent.at
    arriving = sent.upstream[..., feature][sent.call.options["index"] == row]
    is_padding = sent.call.option("padding_idx") is not None and row == sent.call.option("padding_idx") % sent.x.shape[0]
    return numbers(arriving) if arriving.size and not is_padding else Substitution("0", 0.0)


def _one_hot(call: RecordedCall) -> Substitution:
    named = int(call.input(0)[call.place[:-1]])
    return Substitution(f"1 if {named} = {call.place[-1]} else 0", float(named == call.place[-1]))


def _lstm_formula(given: Given) -> str:
    """An LSTM with a projection, whose h is smaller than its c, is not opened."""
    states = next((part for part in given.values() if isinstance(part, (tuple, list))), ())
    if len({state.shape[-1] for state in states}) > 1:
        return "h = W_hr (o·tanh c),  c = f·c₋ + i·g"
    return "h = o·tanh c,  c = f·c₋ + i·g,  gate by gate at detail textbook"


_recurrent = partial(Operation, symbol="h", random=True)
ROWS = (
    Operation(
        names="embedding", signature="index weight:W padding_idx max_norm=None norm_type scale_grad_by_freq=False", symbol="y",
        formula=_embedding_formula, gradients=_embedding_gradients, numbers=_embedding, sent={"weight": _to_looked_up},
    ),
    Operation(names="one_hot", symbol="y", formula="y = 1 at the place x names, else 0", numbers=_one_hot),
    _recurrent(names="lstm", signature="x state weights", formula=_lstm_formula),
    _recurrent(names="gru", formula="h = (1 − z)·n + z·h₋,  gate by gate at detail textbook"),
    _recurrent(names="rnn_tanh rnn_relu", formula="h = f(W x + U h₋ + b),  step by step at detail textbook"),
)  # fmt: skip
