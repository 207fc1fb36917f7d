"""The row that says everything about one torch operation, and what it says of one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from nnviz.operations.recorded_call import RecordedCall
from nnviz.operations.sent_call import Sent, SentCall, times
from nnviz.operations.signature import Given, Input, Signature, inputs_in, is_complex, signature, spread_shape
from nnviz.operations.writing import Substitution
from nnviz.records.trace_record import Equation, NodeRecord
from nnviz.text.numbers import MINUS


class Gradient(NamedTuple):
    """The right side of ∂L/∂… = …, where it needs more than a letter: a symbol of its own, or a definition in front of it.

    With the symbol "" the right side is a sentence that stands alone.
    """

    right: str
    symbol: str | None = None
    before: str = ""


Gradients = Mapping[str, "str | Gradient | Sequence[str | Gradient]"]
"""By argument what is sent to it, in the order it is written; several for an argument that is a list of tensors."""
UNKNOWN = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError)
"""What a row raises for a call in a way it does not know: better no line than a wrong one."""
Rule = Callable[[RecordedCall], "Substitution | None"]


class Formula(NamedTuple):
    """What is said of a call: the letter for its result, the formula, the derivative as text, and its equation for each input."""

    symbol: str = ""
    text: str = ""
    derivative: str = ""
    equations: tuple[Equation | None, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One row of the table. What depends on the call is a function of what it was given; an empty formula says nothing of that call."""

    names: str
    """What torch calls it; several that are the same, with spaces between them."""
    signature: str = "x"
    symbol: str = ""
    """The letter for its result, as the formula has it on the left."""
    formula: str | Callable[[Given], str] = ""
    gradients: Gradients | Callable[[Given], Gradients] = field(default_factory=dict)
    of_complex: bool | Gradients | Callable[[Given], Gradients] = False
    """What is sent where numbers are complex, as torch has it: ∂L/∂Re + i ∂L/∂Im. True: the same; False: nothing is said of such a call."""
    spreads: bool = False
    """It works element by element on tensors spread to one shape; where a tensor has copies, what they are sent is added up."""
    numbers: Rule | None = None
    """The formula with the numbers of one element put in."""
    function: Callable[[float, RecordedCall], Substitution] | None = None
    """Instead of `numbers`, for a function of one number."""
    sent: Mapping[str, Sent] = field(default_factory=dict)
    """By argument what is sent to one element of it with the numbers put in; of a function of one number it is known anyway."""
    parts: Callable[[RecordedCall], Any] | None = None
    """Of a loss: what every element of the prediction adds to it."""
    compares_elements: bool = False
    """A loss of a prediction and a target of one shape, element by element."""
    has_curve: bool = False
    """An activation whose curve is drawn."""
    sends_local: bool = False
    """Its derivative, one number an element, travels with the trace."""
    linear_in: str = ""
    """all: in its inputs together, so that it does with their means what it does with every row · each: of two · first"""
    same_for_means: bool = False
    """Upstream × local holds of the batch's means: its local derivative is the same in every row."""
    move: Callable[[np.ndarray, NodeRecord], np.ndarray] | None = None
    """Of an operation whose elements are some of its input's: the same with an array of that shape, as the node's call has it."""
    rearranges: bool = False
    """It may put an axis elsewhere."""
    casts: bool = False
    drops: bool = False
    """It sets some elements to 0 at random."""
    random: bool = False
    """It may use the random generator."""
    own_reads: str = ""
    """What its backward step reads that was made inside it, where no node shows it."""

    @cached_property
    def arguments(self) -> Signature:
        """The arguments of the torch function."""
        return signature(self.signature)

    def substituted(self, call: RecordedCall) -> Substitution | None:
        """Return the formula with numbers; None where there is none for such a call."""
        if self.function is not None:
            return self.function(float(call.input(0)[call.place]), call)
        return self.numbers(call) if self.numbers else None

    def sent_to(self, sent: SentCall) -> Substitution | None:
        """Return what a call sends to one element of an input, with numbers; None where there is nothing to say of such a call."""
        name = next((name for name, part in self.arguments.bind(*sent.call.given).items() if _holds(part, sent.argument)), "")
        if name in self.sent:
            return self.sent[name](sent)
        return times(self._slope)(sent) if name == self.arguments.names[0] and (self.function or sent.local is not None) else None

    def _slope(self, sent: SentCall) -> np.ndarray:
        """∂y/∂x as it travelled, else from the function itself, by a step to each side."""
        if sent.local is not None:
            return sent.local
        z, step = float(sent.x[sent.at]), 1e-5
        ahead, behind = (self.function(z + way, sent.call).value for way in (step, -step))
        return np.array((ahead - behind) / (2 * step))

    def curve(self, call: RecordedCall, z: np.ndarray) -> np.ndarray:
        """Return what a function of one number with the options of this call makes of every z, for drawing it."""
        return np.array([self.function(value, call).value for value in z.tolist()])

    def formula_of(self, arguments: Sequence[Any], keywords: Mapping[str, Any], count: int) -> Formula:
        """Return what is true of a call with `count` tensors among its arguments; nothing where the row has no formula for it."""
        given = self.arguments.bind(arguments, keywords)
        try:
            text = _chosen(self.formula, given) if self.arguments.is_kept(given) else ""
            return self._said(text, given, count) if text else Formula()
        except UNKNOWN:
            return Formula()

    def _said(self, text: str, given: Given, count: int) -> Formula:
        has_complex = is_complex(given)
        if has_complex and not self.of_complex:
            return Formula()
        lines: list[str] = []
        equations: list[Equation | None] = [None] * count
        gradients = _chosen(self.of_complex if has_complex and self.of_complex is not True else self.gradients, given)
        spread = spread_shape(given) if self.spreads and gradients else None
        for name, said in gradients.items():
            sent = [said] if isinstance(said, (str, Gradient)) else said
            for tensor, one in zip(inputs_in(given.get(name)), sent, strict=False):
                equation, line = _written(_in_full(one, tensor, has_complex, spread), self.arguments.letter(name))
                equations[tensor.number] = equation
                lines.append(line)
        return Formula(self.symbol, text, "\n".join(lines), tuple(equations))


def _in_full(said: str | Gradient, tensor: Input, has_complex: bool, spread: tuple[int, ...] | None) -> Gradient:
    """What is sent to a tensor that is real among complex ones, or has copies: it is not of the shape to which all are spread."""
    one = Gradient(said) if isinstance(said, str) else said
    if one.symbol == "":
        return one
    if has_complex and tensor.kind != "c":
        one = one._replace(right=f"Re({one.right})")
    has_copies = spread is not None and tensor.shape != spread
    return one._replace(right=f"Σ {one.right}, over the copies") if has_copies else one


def _holds(part: Any, argument: int) -> bool:
    """Whether an argument of a recorded call is, or has in it, this input."""
    if isinstance(part, (list, tuple)):
        return any(_holds(one, argument) for one in part)
    return isinstance(part, dict) and part.get("input") == argument


def _chosen(part: Any, given: Given) -> Any:
    return part(given) if callable(part) else part


def _written(said: Gradient, letter: str) -> tuple[Equation | None, str]:
    right, symbol, before = said
    symbol = letter if symbol is None else symbol
    return (Equation(symbol, right), f"{before}∂L/∂{symbol} = {right}") if symbol else (None, right)


def figure(operand: Any, letter: str = "") -> str:
    """Return a number that stands in the code, as a formula writes it; the letter for a tensor."""
    if isinstance(operand, complex):
        sign = MINUS if operand.imag < 0 else "+"
        return f"({f'{operand.real:g}'.replace('-', MINUS)} {sign} {abs(operand.imag):g}i)"
    if isinstance(operand, Input) or not isinstance(operand, (int, float)):
        return letter
    text = f"{operand:g}".replace("-", MINUS)
    return f"({text})" if operand < 0 else text
