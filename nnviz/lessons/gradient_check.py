"""A learner's own gradients held against a trace: which are right, which is the first wrong one in backward order, and by which slip.

An error that is made at one place goes on to everything behind it. So what is wrong is compared with the backward pass as it goes on from
the learner's own numbers, and only what does not follow from them is blamed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nnviz.lessons._closeness import PrintedNumbers
from nnviz.lessons._gradient_names import Named, UnknownName, named_nodes, node_named
from nnviz.lessons._slips import Slip, slips
from nnviz.lessons.altered_pass import Alteration, BackwardRules
from nnviz.lessons.misconceptions import MISCONCEPTIONS
from nnviz.records.trace_index import TraceIndex
from nnviz.records.trace_record import TraceRecord
from nnviz.text.numbers import number

RIGHT, WRONG, FOLLOWS, SHAPE, UNKNOWN_NAME, TOO_FEW_DIGITS, NOT_HERE = (
    "right", "wrong", "follows", "shape mismatch", "unknown name", "too few digits", "not here",
)  # fmt: skip
"""What an entry can be. `follows`: wrong, but only because an earlier one is."""
_NOT_HERE = "Its numbers did not travel with the trace: they are too many, or complex. Real ones nnviz.check_gradients checks in Python."
_CUT_SHORT = "Not all slips have been tried in so large a graph."


@dataclass(frozen=True)
class Misconception:
    """A slip that gives the learner's numbers: its name, a sentence about it, and the nodes at which it was made."""

    name: str
    sentence: str
    nodes: tuple[int, ...]
    places: tuple[str, ...]
    """The names of those nodes."""


@dataclass(frozen=True)
class EntryVerdict:
    """What is found about one of the learner's arrays."""

    name: str
    """As the learner wrote it."""
    status: str
    sentence: str
    node: int | None = None
    misconceptions: tuple[Misconception, ...] = ()
    """All that give these numbers; several where they cannot be told apart."""

    def __str__(self) -> str:
        return f"{self.name}: {self.sentence}"


@dataclass(frozen=True, repr=False)
class GradientVerdicts:
    """What is found about all of them, in backward order, what cannot be placed last."""

    entries: tuple[EntryVerdict, ...]
    is_cut_short: bool = False
    """Whether not all slips have been tried."""

    @property
    def first_wrong(self) -> EntryVerdict | None:
        """The first in backward order that is wrong by itself; None where there is none."""
        return next((entry for entry in self.entries if entry.status in (WRONG, SHAPE)), None)

    @property
    def ok(self) -> bool:
        """Whether there are any, and all are right."""
        return bool(self.entries) and all(entry.status == RIGHT for entry in self.entries)

    def __getitem__(self, name: str) -> EntryVerdict:
        """Return the verdict about an entry by the name it was given. Raises KeyError."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise KeyError(name)

    def __str__(self) -> str:
        return "\n".join([self.summary, *map(str, self.entries)])

    __repr__ = __str__  # what a notebook shows

    @property
    def summary(self) -> str:
        """One sentence about all of them."""
        right, first = sum(entry.status == RIGHT for entry in self.entries), self.first_wrong
        if not self.entries:
            return "No gradient was given."
        if self.ok:
            return "The gradient is right." if right == 1 else f"All {right} gradients are right."
        said = f"{right} of {len(self.entries)} {'gradient is' if len(self.entries) == 1 else 'gradients are'} right."
        return f"{said} The first wrong one in backward order: {first.name}." if first else said


def check(own: Mapping[str, Any], trace: TraceIndex | TraceRecord) -> GradientVerdicts:
    """Return what is found about a learner's gradients, by the name of a parameter (`h1.weight`) or node (`h1/relu`, or its number).

    Arrays are whatever numpy reads as numbers; those with axes of length 1 more or less are taken, and the sentence says so. A gradient
    that is right in all digits it was printed with counts as right. Of a trace opened into neurons the whole tensors count.
    """
    return GradientChecker(trace if isinstance(trace, TraceIndex) else TraceIndex(trace)).check(own)


@dataclass(frozen=True, eq=False)
class _Entry:
    """One of the learner's arrays beside the node it is of."""

    name: str
    node: int
    own: PrintedNumbers
    true: np.ndarray
    note: str = ""


class SearchProgress(NamedTuple):
    """How far the search for the slip behind wrong gradients is."""

    entry: str
    """The gradient that is explained now."""
    tried: int
    slips: int
    """How many there are to be tried for it."""
    gradients: int
    """So many have been worked out, over all."""


class GradientChecker:
    """Checks gradients against one trace, as often as is asked.

    `most`: so many gradients are worked out at most to find the slip behind a wrong one (10,000 take about a second); None: all it takes.
    """

    def __init__(self, index: TraceIndex, most: int | None = None) -> None:
        self._most = most
        self.index = index.whole
        self.rules = BackwardRules(self.index)
        self.named: tuple[Named, ...] = named_nodes(self.index)
        """All that can be checked, in backward order."""

    def check(self, own: Mapping[str, Any], tell: Callable[[SearchProgress], object] = lambda progress: None) -> GradientVerdicts:
        """Return what is found about these gradients; see `check`. `tell` is called before each slip that is tried, and may raise."""
        with np.errstate(all="ignore"):  # what is not finite is compared like any number
            return self._checked(own, tell)

    def _checked(self, own: Mapping[str, Any], tell: Callable[[SearchProgress], object]) -> GradientVerdicts:
        refused, taken = [], {}
        for name, given in own.items():
            found = self._entry(str(name), given)
            if isinstance(found, _Entry) and found.node in taken:
                sentence = f"This is the same gradient as {taken[found.node].name}: leave one of them out."
                refused.append(EntryVerdict(found.name, UNKNOWN_NAME, sentence, found.node))
            elif isinstance(found, _Entry):
                taken[found.node] = found
            else:
                refused.append(found)
        order = {one.node: place for place, one in enumerate(self.named)}
        entries = sorted(taken.values(), key=lambda entry: order[entry.node])
        judging = _Judging(self.rules, {one.node: one.name for one in self.named}, entries, self._most, tell)
        judged = [*judging.verdicts(), *refused]
        return GradientVerdicts(tuple(sorted(judged, key=lambda entry: order.get(entry.node, len(order)))), judging.is_cut_short)

    # --- reading ---

    def _entry(self, name: str, given: Any) -> _Entry | EntryVerdict:
        try:
            node = node_named(self.index, self.named, name)
        except UnknownName as error:
            return EntryVerdict(name, UNKNOWN_NAME, str(error))
        true = self.rules.gradient(node)
        if true is None:
            return EntryVerdict(name, NOT_HERE, _NOT_HERE, node)
        try:
            array = np.asarray(given, dtype=float)
        except (TypeError, ValueError):
            return EntryVerdict(name, SHAPE, "This is no array of numbers: every row needs as many numbers as the others.", node)
        return self._fitted(name, node, array, true)

    def _fitted(self, name: str, node: int, array: np.ndarray, true: np.ndarray) -> _Entry | EntryVerdict:
        if array.shape == true.shape:
            return _Entry(name, node, PrintedNumbers(array), true)
        without_ones = [tuple(size for size in one.shape if size != 1) for one in (array, true)]
        shapes = f"your shape is {array.shape}, the gradient's is {true.shape}"
        if without_ones[0] == without_ones[1]:
            return _Entry(name, node, PrintedNumbers(array.reshape(true.shape)), true, f" ({shapes}: the same numbers)")
        if array.ndim == true.ndim == 2 and PrintedNumbers(array.T).is_close(true, self.rules.noise):
            place = next(one.name for one in self.named if one.node == node)
            said = Misconception("transposed", MISCONCEPTIONS["transposed"], (node,), (place,))
            return EntryVerdict(name, SHAPE, f"{shapes}. {said.sentence}", node, (said,))
        cure = "a parameter's gradient has the parameter's shape, a node's that of its value"
        return EntryVerdict(name, SHAPE, f"{shapes}: {cure}.", node)


class _Judging:
    """Goes through the entries in backward order; what is wrong so far decides what would follow from it."""

    def __init__(
        self,
        rules: BackwardRules,
        names: Mapping[int, str],
        entries: Sequence[_Entry],
        most: int | None,
        tell: Callable[[SearchProgress], object],
    ) -> None:
        self._most, self._worked_out, self._tell = np.inf if most is None else most, 0, tell
        self.is_cut_short = False
        self.rules, self.index, self.names, self.entries = rules, rules.index, names, entries
        self.alteration = Alteration()
        self.stages: list[tuple[str, dict[int, np.ndarray | None]]] = []
        """After each wrong entry its name, and the gradients that are others because of what is wrong so far."""

    def verdicts(self) -> list[EntryVerdict]:
        """Return one verdict for each entry."""
        return [self._judged(entry) for entry in self.entries]

    def _close(self, entry: _Entry, true: np.ndarray | None) -> bool:
        return true is not None and entry.own.is_close(true, self.rules.noise)

    def _judged(self, entry: _Entry) -> EntryVerdict:
        if self._close(entry, entry.true):
            return self._unclipped(entry)
        clipped = self._clipped(entry.node)
        if self._close(entry, clipped):
            return EntryVerdict(entry.name, RIGHT, f"right, as it is after clipping{entry.note}.", entry.node)
        blamed = next((name for name, changed in self.stages if self._close(entry, changed.get(entry.node))), None)
        if blamed is not None:
            return EntryVerdict(entry.name, FOLLOWS, f"wrong, but it follows from {blamed}{entry.note}.", entry.node)
        if entry.own.is_rounded(entry.true, self.rules.noise):
            sentence = "It has too few digits to tell: print more of them, with np.set_printoptions(precision=8)."
            return EntryVerdict(entry.name, TOO_FEW_DIGITS, sentence, entry.node)
        return self._wrong(entry)

    def _clipped(self, node: int) -> np.ndarray | None:
        """The gradient that the optimizer is given; None where nothing is clipped, or that changes nothing."""
        update = self.index.updates.get(node)
        if update is None or "clip" not in self.index.phase_spans:
            return None
        rows = {row.symbol: self.index.array(row.value) for row in update.rows}
        found, share, raw = rows.get("g₁"), rows.get("coef"), self.rules.gradient(node)
        if found is None and share is not None and raw is not None:
            return raw * float(share)  # of a tensor too large to travel
        return None if found is None else found.astype(float)

    def _unclipped(self, entry: _Entry) -> EntryVerdict:
        clipped = self._clipped(entry.node)
        if clipped is None or self._close(entry, clipped):
            return EntryVerdict(entry.name, RIGHT, f"right{entry.note}.", entry.node)
        said = self._said(Slip("clipping_left_out", (entry.node,), Alteration()), entry.node)
        return EntryVerdict(entry.name, RIGHT, f"right{entry.note}. {said.sentence}", entry.node, (said,))

    def _wrong(self, entry: _Entry) -> EntryVerdict:
        found = self._explained(entry)
        if found:
            self.alteration = self.alteration.joined(found[0].alteration)
        else:
            self.alteration = self.alteration.joined(Alteration(nodes={entry.node: lambda parts, total: entry.own.array}))
        self.stages.append((entry.name, self.rules.altered(self.alteration)))
        at = entry.own.furthest(entry.true)
        place = f"[{', '.join(map(str, at))}]" if at else "it"
        numbers = f"wrong{entry.note}: {place} is {number(float(entry.true[at]))}, not {number(float(entry.own.array[at]))}."
        said = tuple(self._said(slip, entry.node) for slip in found)
        reasons = " Or: ".join(one.sentence for one in said) or (_CUT_SHORT if self.is_cut_short else "")
        return EntryVerdict(entry.name, WRONG, f"{numbers} {reasons}".rstrip(), entry.node, said)

    def _said(self, slip: Slip, entry: int) -> Misconception:
        places = tuple(self._place(node) for node in slip.places)
        elsewhere = places and slip.places != (entry,)
        where = f"Made at {', '.join(places[:4])}{' …' if len(places) > 4 else ''}." if elsewhere else ""
        sentence = " ".join(filter(None, (MISCONCEPTIONS[slip.name], slip.detail, where)))
        return Misconception(slip.name, sentence, slip.places, places)

    def _place(self, node: int) -> str:
        record = self.index.node(node)
        return self.names.get(node) or "/".join((*record.group, record.label))

    # --- explaining ---

    def _explained(self, entry: _Entry) -> list[Slip]:
        """The slips that give these numbers and explain most of the others: one for each name; none where none does."""
        above = self._above(entry.node)
        among = {*above}
        best: dict[str, tuple[tuple, Slip]] = {}
        all_slips = [*slips(self.rules, entry.node, above)]
        for tried, slip in enumerate(all_slips):
            self._tell(SearchProgress(entry.name, tried, len(all_slips), self._worked_out))
            alteration = self.alteration.joined(slip.alteration)
            if self._worked_out >= self._most:
                self.is_cut_short = True
                break
            changed = self.rules.altered(alteration, among)
            self._worked_out += len(changed)
            if not self._close(entry, changed.get(entry.node)):
                continue
            changed = self.rules.altered(alteration)
            if self._spoils(entry, changed):
                continue
            rank = self._rank(entry, slip, changed)
            if slip.name not in best or rank > best[slip.name][0]:
                best[slip.name] = rank, slip
        most = max((rank[0] for rank, _ in best.values()), default=0)
        return [slip for rank, slip in best.values() if rank[0] == most]

    def _spoils(self, entry: _Entry, changed: Mapping[int, np.ndarray | None]) -> bool:
        """Whether a slip would have changed what stands before this entry in backward order and is right."""
        before = self.entries[: self.entries.index(entry)]
        return any(one.node in changed and self._close(one, one.true) and not self._close(one, changed[one.node]) for one in before)

    def _rank(self, entry: _Entry, slip: Slip, changed: Mapping[int, np.ndarray | None]) -> tuple:
        """How many of all entries it explains; then, of places that explain as much, which one is meant."""
        explained = sum(1 if self._close(one, changed.get(one.node, one.true)) else -1 for one in self.entries)
        is_everywhere = len(self.entries) > 1 and not any(self._close(one, one.true) for one in self.entries)
        at_loss = all(self.index.node(node).phase == "loss" for node in slip.places)
        near = -min(abs(node - entry.node) for node in slip.places)
        return explained, at_loss if is_everywhere else not at_loss, -len(slip.places), near

    def _above(self, node: int) -> Sequence[int]:
        """The node and all through which its gradient comes, the nearest first."""
        found, front = {node: None}, [node]
        while front:
            front = [edge.target for one in front for edge in self.rules.uses(one) if edge.target not in found]
            found |= dict.fromkeys(front)
        return tuple(found)
