"""Operations that only move elements: reshaping, transposing, picking, joining, writing, storing otherwise."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from nnviz.operations.operation import Gradient, Gradients, Operation
from nnviz.operations.recorded_call import RecordedCall, pieces
from nnviz.operations.sent_call import Sent, SentCall
from nnviz.operations.signature import Given, is_complex
from nnviz.operations.writing import Substitution, numbers
from nnviz.records.trace_record import NodeRecord
from nnviz.text.numbers import place

Move = Callable[[np.ndarray, NodeRecord], np.ndarray]


def _index(part: Any) -> Any:
    if isinstance(part, dict):
        return slice(*part["slice"]) if "slice" in part else None
    if isinstance(part, list):
        return tuple(map(_index, part))
    return Ellipsis if part == "…" else part


def _axes(node: NodeRecord) -> list[int]:
    given = [*node.arguments[1:], *(node.keywords[name] for name in ("dims", "dim0", "dim1") if name in node.keywords)]
    return list(given[0]) if len(given) == 1 and isinstance(given[0], list) else given


def _narrowed(x: np.ndarray, node: NodeRecord) -> np.ndarray:
    axis, start, length = node.arguments[1:4]
    return x.take(range(start, start + length), axis)


def _in_order(x: np.ndarray, node: NodeRecord) -> np.ndarray:
    return x.reshape(node.shape)


def _moved(call: RecordedCall, move: Move) -> Substitution:
    """Which element of the only input it is: the move is made with places instead of numbers."""
    x = call.input(0)
    flat = int(move(np.arange(x.size).reshape(x.shape), call.node)[call.place])
    source = tuple(map(int, np.unravel_index(flat, x.shape))) if x.shape else ()
    axis = call.state.index.node(call.node.inputs[0]).batch_axis
    return Substitution(f"x{place([k for at, k in enumerate(source) if at != axis])}", float(x[source]))


def _moved_back(move: Move) -> Sent:
    """From where the element went to: to one place, to several copies, or to none."""

    def write(sent: SentCall) -> Substitution:
        node = sent.call.node
        if node.operation in ("chunk", "split", "unbind"):
            return _to_whole(sent)
        origins = np.broadcast_to(move(np.arange(sent.x.size).reshape(sent.x.shape), node), node.shape)
        places = np.argwhere(origins == np.ravel_multi_index(sent.at, sent.x.shape)) if sent.at else np.argwhere(origins == 0)
        if len(places) == 1:
            return _arriving(sent, tuple(map(int, places[0])))
        return numbers(sent.upstream[tuple(places.T)]) if len(places) else Substitution("0", 0.0)

    return write


def _to_whole(sent: SentCall) -> Substitution:
    """To a tensor that was cut in parts: what all that use the element's part send to it."""
    node, index = sent.call.node, sent.call.state.index
    parts = pieces(node, np.arange(sent.x.size).reshape(sent.x.shape))
    flat = np.ravel_multi_index(sent.at, sent.x.shape)
    which, at = next((k, tuple(map(int, np.argwhere(part == flat)[0]))) for k, part in enumerate(parts) if (part == flat).any())
    uses = [edge for edge in index.out_edges[node.id] if _port(index.node(edge.target), edge.argument) == which]
    arriving = [index.array(edge.contribution) for edge in uses if edge.contribution is not None]
    return numbers(np.array([float(part[at]) for part in arriving])) if arriving else Substitution("0", 0.0)


def _port(user: NodeRecord, argument: int) -> int:
    return user.ports[argument] if user.ports else 0


def _arriving(sent: SentCall, at: tuple[int, ...]) -> Substitution:
    shown = place([k for axis, k in enumerate(at) if axis != sent.call.node.batch_axis])
    return Substitution(f"∂L/∂y{shown}", float(sent.upstream[at]))


def _to_part(sent: SentCall) -> Substitution:
    """To one of the tensors that cat or stack put together."""
    call = sent.call
    parts = [call.input(k) for k in range(len(call.node.inputs))]
    if call.node.operation == "stack":
        axis = call.option("dim", 0) % len(call.node.shape)
        return _arriving(sent, (*sent.at[:axis], sent.argument, *sent.at[axis:]))
    axis = call.option("dim", 0) % len(sent.at)
    start = sum(part.shape[axis] for part in parts[: sent.argument])
    return _arriving(sent, (*sent.at[:axis], sent.at[axis] + start, *sent.at[axis + 1 :]))


def _joined(call: RecordedCall) -> Substitution:
    parts = [call.input(k) for k in range(len(call.node.inputs))]
    is_stack = call.node.operation == "stack"
    which, source = _part([part.shape for part in parts], call.option("dim", 0) % len(call.place), call.place, is_stack)
    batch = call.state.index.node(call.node.inputs[which]).batch_axis
    letter = chr(ord("a") + which) if which < 26 else f"input {which} "
    return Substitution(f"{letter}{place([k for at, k in enumerate(source) if at != batch])}", float(parts[which][source]))


def _part(shapes: list[tuple[int, ...]], axis: int, at: tuple[int, ...], is_stack: bool) -> tuple[int, tuple[int, ...]]:
    """Which of the tensors that cat or stack put together an element is of, and where in it."""
    if is_stack:
        return at[axis], (*at[:axis], *at[axis + 1 :])
    ends = np.cumsum([shape[axis] for shape in shapes])
    which = int(np.searchsorted(ends, at[axis], side="right"))
    start = int(ends[which - 1]) if which else 0
    return which, (*at[:axis], at[axis] - start, *at[axis + 1 :])


# --- formulas ---

_LETTERS = "abcd"


def _joined_formula(between: str) -> Callable[[Given], str]:
    def formula(given: Given) -> str:
        count = len(given["tensors"])
        return f"y = [{between.join(_LETTERS[:count] if count <= len(_LETTERS) else 'ab…')}]"

    return formula


def _joined_gradients(given: Given) -> Gradients:
    count = len(given["tensors"])
    return {"tensors": [Gradient("its slice of ∂L/∂y", letter) for letter in (_LETTERS if count <= len(_LETTERS) else "a")]}


def _block_formula(given: Given) -> str:
    return f"y = block {given['k'] + 1} of {given['count']} of x"


_UNCHANGED: Gradients = {"x": "∂L/∂y"}


def _flattened(given: Given) -> str:
    is_whole = not given.get("start_dim") and given.get("end_dim") in (None, -1)
    return "y = x in one row" if is_whole else "y = x, several axes made one"


def _squeezed(given: Given) -> str:
    return "y = x without axes of length 1" if given.get("dim") is None else "y = x without the axis, if its length is 1"


def _chunked(given: Given) -> str:
    is_even = given["x"].shape[given.get("dim", 0)] % given["chunks"] == 0
    return f"y₁, y₂, … = x in {'equal parts' if is_even else 'parts, the last one smaller'}"


def _cast_gradients(given: Given) -> Gradients:
    """Whole numbers pass no gradient."""
    kinds = [str(part).removeprefix("torch.") for part in given.values() if str(part).startswith("torch.")]
    is_whole = any(kind.startswith(("int", "uint", "bool", "long", "short")) for kind in kinds)
    return {"x": Gradient("no gradient passes", "")} if is_whole else _UNCHANGED


_MOST_PLACES = 4
"""A list of more places is not written out."""


def _sliced(given: Given) -> str:
    """The slice as the code has it: x[:, 2]. With tensors in it, or of a list of outputs, it stays open."""
    index = given["index"]
    texts = [_sliced_along(part) for part in (index if isinstance(index, tuple) else (index,))]
    return f"y = x[{', '.join(texts)}]" if all(texts) else "y = x[…]"


def _sliced_along(part: Any) -> str:
    """What stands in the brackets for one axis; empty for a tensor."""
    if part is Ellipsis or part == "…":
        return "…"
    if part is None or isinstance(part, (bool, int)):
        return str(part)
    if isinstance(part, list):
        return str(part) if len(part) <= _MOST_PLACES and all(isinstance(one, int) for one in part) else ""
    ends = (part.start, part.stop, part.step) if isinstance(part, slice) else part.get("slice") if isinstance(part, dict) else None
    if ends is None:
        return ""
    start, stop, step = ("" if end is None else str(end) for end in ends)
    return f"{start}:{stop}" + (f":{step}" if step else "")


_TO_WHERE_IT_CAME_FROM: Gradients = {"x": "∂L/∂y, back to where each element came from"}


def _move(names: str, formula: str | Callable[[Given], str], move: Move = _in_order, **more: Any) -> Operation:
    """The row of an operation of one tensor whose elements are some of its input's."""
    row = {
        "symbol": "y",
        "gradients": _TO_WHERE_IT_CAME_FROM,
        "of_complex": True,
        "linear_in": "all",
        "move": move,
        "sent": {"x": _moved_back(move)},
    } | more
    return Operation(names=names, formula=formula, numbers=lambda call: _moved(call, move), **row)


def _pieces(x: np.ndarray, node: NodeRecord) -> np.ndarray:
    return pieces(node, x)[0]


_joining = partial(
    Operation,
    signature="tensors dim",
    symbol="y",
    of_complex=True,
    gradients=_joined_gradients,
    numbers=_joined,
    linear_in="all",
    sent={"tensors": _to_part},
)
_TRANSPOSED: Gradients = {"x": "(∂L/∂y)ᵀ"}
ROWS = (
    _joining(names="cat", formula=_joined_formula(", ")),
    _joining(names="stack", formula=_joined_formula("; ")),
    _move("reshape view unflatten", "y = x in another shape", rearranges=True),
    _move("flatten", _flattened, signature="x start_dim end_dim"),
    _move("transpose", "y = x, two axes swapped", lambda x, node: x.swapaxes(*_axes(node)), rearranges=True),
    _move("permute", "y = x, axes reordered", lambda x, node: x.transpose(_axes(node)), rearranges=True),
    _move("t", "y = xᵀ", lambda x, node: x.T),
    _move("T", "y = xᵀ", lambda x, node: x.T, gradients=_TRANSPOSED, rearranges=True),
    _move("mT", "y = xᵀ", lambda x, node: x.swapaxes(-1, -2), gradients=_TRANSPOSED, rearranges=True),
    _move(
        "H", lambda given: "y = conj(x)ᵀ" if is_complex(given) else "y = xᵀ", lambda x, node: x.T, gradients=_TRANSPOSED,
        of_complex={"x": "conj(∂L/∂y)ᵀ"},
    ),
    Operation(names="movedim", rearranges=True),
    _move("squeeze", _squeezed, signature="x dim"),
    _move("unsqueeze", "y = x with an axis of length 1"),
    _move(
        "expand", "y = x, repeated along axes", lambda x, node: np.broadcast_to(x, node.shape),
        gradients={"x": "∂L/∂y, summed over the copies"},
    ),
    _move("getitem", _sliced, lambda x, node: x[_index(node.arguments[1])], signature="x index"),
    _move("select", "y = x at one place of an axis", lambda x, node: x.take(node.arguments[2], node.arguments[1])),
    _move("narrow", "y = a stretch of x", _narrowed),
    _move(
        "block", _block_formula, lambda x, node: np.split(x, node.arguments[2], -1)[node.arguments[1]], signature="x k count",
        gradients={"x": "∂L/∂y in this block, 0 in the others"},
    ),
    _move("chunk", _chunked, _pieces, signature="x chunks dim"),
    _move("split", "y₁, y₂, … = x in parts", _pieces),
    _move("unbind", "y₁, y₂, … = x, slice by slice", _pieces),
    _move("contiguous", "y = x, laid out anew in memory"),
    _move("clone", "y = x"),
    _move("to", "y = x, stored otherwise", gradients=_cast_gradients, of_complex=_cast_gradients, casts=True),
    _move("double", "y = x in 64 bits", gradients=_UNCHANGED),
    _move("float", "y = x in 32 bits", gradients=_UNCHANGED),
    _move("long", "y = x as whole numbers", gradients={}, casts=True),
    Operation(names="int", casts=True),
    _move("type", "", gradients={}),
    _move("detach", "y = x", gradients={"x": Gradient("no gradient passes", "")}),
    Operation(
        names="setitem", signature="x place value:y", symbol="x′", formula="x′ = x, y written at […]",
        gradients={"x": "∂L/∂x′ where nothing was written, else 0", "value": "Σ ∂L/∂x′ over where each element was written"},
        of_complex=True,
    ),
    Operation(
        names="index_add", of_complex=True, signature="x dim index source:y alpha=1", symbol="x′", formula="x′ = x, y added at index",
        gradients={"x": "∂L/∂x′", "source": "∂L/∂x′ at index"},
    ),
    Operation(
        names="write_back", of_complex=True, signature="x written where", symbol="x′", formula="x′ = x, a part of it written anew",
        gradients={"x": "∂L/∂x′ where nothing was written", "written": Gradient("the part gets the rest", "")},
    ),
    Operation(
        names="write_beneath", of_complex=True, signature="x written:y", symbol="x′", formula="x′ = y, written behind autograd's back",
        gradients={"x": "∂L/∂x′, as if nothing were written", "written": Gradient("no gradient passes to y", "")},
    ),
    Operation(names="read_view", of_complex=True, symbol="y", formula="y = a part of x", gradients=_TO_WHERE_IT_CAME_FROM),
    Operation(names="zeros ones full arange tensor zeros_like ones_like pad"),
)  # fmt: skip
