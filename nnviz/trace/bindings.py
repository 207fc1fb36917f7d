"""Which entry of the tape a tensor of the running model holds right now, through in-place writes and views."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from .record import Call, Contribution, Slot, TraceError, perform, resolved
from .scopes import Scope, Scopes, line_of_call, user_line
from .what_if import WhatIfs, altered


class TapeEntry:
    """A node being recorded. `leaves` and `outputs` are the two ends of its part of the tape's graph.

    `gradients`, `contributions` and `reads` are filled by backward.py.
    """

    __slots__ = (
        "call",
        "contributions",
        "gradients",
        "group",
        "id",
        "kind",
        "label",
        "leaves",
        "module",
        "operation",
        "outputs",
        "phase",
        "reads",
        "sources",
        "values",
        "where",
    )  # fmt: skip

    def __init__(
        self, id: int, kind: str, operation: str, scope: Scope, phase: str, call: Call | None,
        sources: list[Source], leaves: list[Tensor], outputs: list[Tensor],
    ):  # fmt: skip
        self.id, self.kind, self.operation, self.label, self.phase, self.call = id, kind, operation, operation, phase, call
        self.module, self.group, self.where = scope.path, scope.group, ""
        self.sources, self.leaves, self.outputs = sources, leaves, outputs
        self.values: list[Tensor] = [resolved(output.detach() if output.requires_grad else output) for output in outputs]
        self.gradients: list[Tensor | None] = []
        self.contributions: list[Contribution] = []
        self.reads: tuple[int, ...] = ()


Source = tuple[TapeEntry, int]  # an output of an entry


def leaf(source: Source, differentiable: bool) -> Tensor:
    """The source's value as one use of it sees it.

    If differentiable it is an alias of its own, whose gradient is what this use sends back. It hangs on the tape's
    graph only if there is something behind it: what the run began with needs no node in the backward pass.
    """
    entry, port = source
    if not differentiable:
        return entry.values[port]
    output = entry.outputs[port]
    if entry.sources and output.requires_grad:
        return output[...] if output.layout == torch.strided and not output.is_nested else output.clone()
    return entry.values[port].detach().requires_grad_()


class Bindings:
    """The entries so far and what every live tensor holds.

    `names`: id(tensor) -> (kind, name) of what was there before the run. `what_ifs`: what is to be supposed, by entry.
    """

    def __init__(self, scopes: Scopes, names: Mapping[int, tuple[str, str]], what_ifs: WhatIfs):
        self.scopes, self.names, self.phase, self.what_ifs = scopes, names, "forward", what_ifs
        self.entries: list[TapeEntry] = []
        self.parameters: dict[str, Tensor] = {}  # the live tensors, as they were met
        self._bound: dict[int, tuple[Source, int]] = {}  # id(tensor) -> output of an entry, version
        self._alive: list[Tensor] = []  # an id means something only while its tensor lives
        self._data: set[int] = set()  # tensors that came from `.data`
        self._aliases: dict[int, Tensor] = {}  # id(tensor) -> the one whose memory it shares, by `.detach()`
        self.suspects: list[str] = []  # what would explain a wrong gradient, with its cure
        self.line = ""  # where the call being opened was made
        self.altered: set[int] = set()  # the entries whose value is altered
        self._originals: list[tuple[Tensor, Tensor]] = []  # the person's tensors that are altered, and their own values

    def source(self, tensor: Tensor) -> Source:
        """What the tensor holds now; one never seen becomes a parameter, buffer, input or constant.

        Raises TraceError if it cannot be known.
        """
        bound = self._bound.get(id(tensor))
        if bound is not None and bound[1] == tensor._version:
            return bound[0]
        base = tensor._base
        if base is not None and self.held(base) is not None:
            return self._read_view(tensor, base), 0
        alias = self._aliases.get(id(tensor))
        if alias is not None and self.held(alias) is not None:  # it was written there
            entry, port = self.held(alias)
            self.bind(tensor, entry, port)
            return entry, port
        name = self.names.get(id(tensor))
        if bound is not None and (name is None or name[0] != "buffer"):
            raise TraceError(
                f"{user_line()}: a tensor used here was changed through an alias that shares its memory "
                "(.data, numpy), which the tape cannot follow: write into the tensor itself, "
                "under torch.no_grad() if no gradient is meant"
            )
        return self._add_unseen(tensor, name), 0

    def held(self, tensor: Tensor) -> Source | None:
        """What the tensor is known to hold now; None if it was never met, or was changed in a way that must be looked into."""
        bound = self._bound.get(id(tensor))
        return bound[0] if bound is not None and bound[1] == tensor._version else None

    def bind(self, tensor: Tensor, entry: TapeEntry, port: int) -> None:
        """From now on the tensor holds this output of the entry."""
        try:
            self._bound[id(tensor)] = (entry, port), tensor._version
        except RuntimeError as error:
            raise TraceError(f"{user_line()}: tensors made under torch.inference_mode() keep no record: use torch.no_grad()") from error
        self._alive.append(tensor)

    def add(
        self,
        kind: str,
        operation: str,
        call: Call | None,
        sources: list[Source],
        leaves: list[Tensor],
        outputs: list[Tensor],
    ) -> TapeEntry:
        """A new entry in the present scope."""
        entry = TapeEntry(len(self.entries), kind, operation, self.scopes.here, self.phase, call, sources, leaves, outputs)
        if call is not None:
            entry.where = self.line or user_line()
        self.entries.append(entry)
        return entry

    def propagate_write(self, tensor: Tensor) -> None:
        """The tensor, already bound to its new value, was written in place: write it into its base too."""
        base = tensor._base
        if id(tensor) in self._data or id(base) in self._data:
            raise TraceError(
                f"{user_line()}: a write through .data bypasses autograd: use `with torch.no_grad():` and write into the tensor itself"
            )
        if base is None:
            self._unbind_parameter(tensor)
        elif id(base) in self._bound:
            sources = [self._bound[id(base)][0], self._bound[id(tensor)][0]]
            self.bind(base, self._derive(write_back, sources, positions(base, tensor)), 0)
            self._unbind_parameter(base)
        for written in (tensor, base):
            alias = self._aliases.get(id(written))
            if alias is not None and id(alias) in self._bound:
                if alias.data_ptr() != written.data_ptr():  # a supposed value has memory of its own
                    raise TraceError(
                        f"{user_line()}: what is written here writes in place, so no other value can be supposed of the detached tensor it "
                        "is written into: change the node before it or behind it"
                    )
                sources = [self._bound[id(alias)][0], self._bound[id(written)][0]]
                self.bind(alias, self._derive(write_beneath, sources), 0)
                self.propagate_write(alias)

    def mark_alias(self, tensor: Tensor, of: Tensor) -> None:
        """The tensor is another, detached: what is written into one is in both, behind autograd's back."""
        self._aliases[id(tensor)] = of

    def mark_data(self, tensor: Tensor) -> None:
        """The tensor came from `.data`: reading it is harmless, writing is not."""
        self._data.add(id(tensor))

    def is_counter(self, tensor: Tensor) -> bool:
        """Whether it is a buffer that only counts, such as batch norm's num_batches_tracked; counting makes no node."""
        return self.names.get(id(tensor), ("",))[0] == "buffer" and not tensor.is_floating_point()

    @torch.no_grad()
    def restore(self) -> None:
        """Give the person's tensors their own values back; a graph of the person's own that has kept one takes it for unchanged."""
        for tensor, value in self._originals:
            with torch.autograd._unsafe_preserve_version_counter(tensor):
                tensor.copy_(value)

    def drop_after(self, count: int) -> None:
        """Drop the entries from `count` on; nothing alive may hold them."""
        del self.entries[count:]

    def _read_view(self, view: Tensor, base: Tensor) -> TapeEntry:
        entry = self._derive(read_view, [self._bound[id(base)][0]], positions(base, view))
        self.bind(view, entry, 0)
        return entry

    def _derive(self, function: Callable, sources: list[Source], *where: Tensor) -> TapeEntry:
        """An operation the person did not write: what a write or a stale view does to the values."""
        differentiable = torch.is_grad_enabled()
        leaves = [leaf(source, differentiable and source[0].outputs[source[1]].requires_grad) for source in sources]
        slots = (*(Slot(k) for k in range(len(leaves))), *where)
        call = Call(function, slots, {}, (), tuple([part.requires_grad for part in leaves]))
        return self.add("operation", function.__name__, call, sources, leaves, perform(call, leaves)[1])

    def _unbind_parameter(self, tensor: Tensor) -> None:
        # A write under no_grad makes a new starting value, whose gradient is the parameter's again.
        if tensor.is_leaf and tensor.requires_grad:
            self._bound.pop(id(tensor), None)

    def _add_unseen(self, tensor: Tensor, name: tuple[str, str] | None) -> TapeEntry:
        """A tensor the tape has not seen being made."""
        if torch._C._functorch.is_functorch_wrapped_tensor(tensor):
            raise TraceError(_hidden(tensor))
        if name is None and tensor.grad_fn is not None:  # right if no gradient is meant to pass; verify.py finds out
            self.suspects.append(
                f"a tensor used at {user_line()} was computed ({tensor.grad_fn.name()}) where the tape cannot see it, "
                "by torch.jit.script or before the capture: call the plain function, or .detach() the tensor"
            )
        if len(self.entries) in self.what_ifs:
            self._alter(tensor)
        unnamed = ("parameter", f"unnamed.{len(self.parameters)}")
        kind, label = name or (unnamed if tensor.requires_grad and tensor.is_leaf else ("constant", "constant"))
        entry = self.add(kind, kind, None, [], [], [_copy(tensor, label)])
        entry.label = label
        if kind != "constant":
            entry.module = label.rpartition(".")[0] if kind != "input" else ""
            entry.group = tuple(entry.module.split(".")) if entry.module else ()
        if kind == "parameter":
            self.parameters[label] = tensor
        self.bind(tensor, entry, 0)
        return entry

    @torch.no_grad()
    def _alter(self, tensor: Tensor) -> None:
        """Alter one of the person's own tensors, until `restore`."""
        self._originals.append((tensor, tensor.detach().clone()))
        self.altered.add(len(self.entries))
        with torch.autograd._unsafe_preserve_version_counter(tensor):
            tensor.copy_(altered(tensor, self.what_ifs[len(self.entries)]))


def _hidden(tensor: Tensor) -> str:
    """What is said of a tensor inside a transform, at the line that called the transform."""
    where = line_of_call("torch/_functorch/")
    if torch._C._functorch.is_batchedtensor(tensor):
        return f"{where}: torch.vmap hides its tensors: write the batch dimension out"
    return (
        f"{where}: torch.func transforms hide their tensors and compute gradients inside the run: compute them after it, outside the module"
    )


def _copy(tensor: Tensor, label: str) -> Tensor:
    """The tensor as the tape keeps it. Raises TraceError for one it cannot copy."""
    if tensor.is_nested and tensor.layout == torch.jagged:
        raise TraceError(
            f"{user_line()}: {label} is a jagged nested tensor, which cannot be stepped: pad it, torch.nested.to_padded_tensor(x, 0.0)"
        )
    try:
        return tensor.detach().clone().requires_grad_(tensor.requires_grad)
    except (RuntimeError, NotImplementedError, ValueError, TypeError) as error:
        what = f"a {type(tensor).__name__} of layout {tensor.layout}"
        raise TraceError(
            f"{user_line()}: {label} is {what}, which cannot be stepped: give the module an ordinary tensor ({error})"
        ) from error


# -- writes through views, as pure functions ------------------------------------------------------------------------
#
# A view is read from its base, a write is put back into it. Positions are logical (row-major over the base's shape), so that the
# tape's copy of the base may lie in memory as it likes. `torch.as_strided_scatter` would not do: its gradient with respect to the
# base is wrong in torch 2.13.


def positions(base: Tensor, view: Tensor) -> Tensor:
    """For every element of `view` the row-major position in `base` it shares memory with."""
    if base.dtype != view.dtype:
        raise TraceError(
            f"a write through a view of another type ({base.dtype} seen as {view.dtype}) cannot be followed: write into the tensor itself"
        )
    numbers = torch.empty_strided(base.shape, base.stride(), dtype=torch.long)
    numbers.copy_(torch.arange(base.numel()).view(base.shape))
    return numbers.as_strided(view.shape, view.stride(), view.storage_offset() - base.storage_offset())


def read_view(base: Tensor, where: Tensor) -> Tensor:
    """The view at `where` of the base as it is now."""
    return base.reshape(-1)[where]


def write_back(base: Tensor, written: Tensor, where: Tensor) -> Tensor:
    """The base after `written` was written at `where`."""
    return base.reshape(-1).index_copy(0, where.reshape(-1), written.reshape(-1)).reshape(base.shape)


class _WriteBeneath(torch.autograd.Function):
    """Other numbers in a tensor whose gradient goes where it went."""

    @staticmethod
    def forward(ctx, value: Tensor, written: Tensor) -> Tensor:
        return written.clone()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


def write_beneath(value: Tensor, written: Tensor) -> Tensor:
    """The value after its numbers were written through a detached tensor that shares its memory."""
    return _WriteBeneath.apply(value, written)
