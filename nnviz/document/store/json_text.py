"""The document as text: an Experiment written as JSON that reads well in a diff, and JSON read back with every fault named at its place.

No files here (files.py), and no rule about networks beyond what the text itself must keep: known keys, right types, ids that exist once.
A network that is wrong otherwise, with a circle of links or a width out of range, is read as it stands: it can be opened, mended and saved.
Long because what is written and how it is read stand side by side.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from msgspec.structs import replace

from nnviz.document import breakpoints, catalog
from nnviz.document.breakpoints import Breakpoint
from nnviz.document.catalog import Field, Kind
from nnviz.document.experiment import FORMAT, VERSION, Experiment
from nnviz.document.fields import MOST_WEIGHT_AXES, accepted, finite, shape_of
from nnviz.document.finding_kinds import ENABLED, FINDING_KINDS
from nnviz.document.network import Choice, Layer, Link, Network
from nnviz.document.problems import Problem, Refused, offered, shown
from nnviz.document.training import Training

MOST_PROBLEMS = 20
"""After so many faults the rest of a document is not read."""

ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
WIDTH = 140
_MOST_SIGNS = (
    (b",", 1_000_000, "numbers and other entries"),
    (b"[", 100_000, "lists"),
    (b":", 100_000, "names of entries"),
)
"""Of each sign of JSON the most that a document may have, and what it stands for: they tell what reading it takes before it is read."""
_FARTHEST = 1_000_000_000
"""A number of a layer that lies farther beyond its limits is taken for damage of the file."""

DEFAULT_DATA = catalog.new_choice(catalog.DATASETS, "moons")
DEFAULT_TRAINING = Training(catalog.new_choice(catalog.OPTIMIZERS, "adam"), catalog.new_choice(catalog.SCHEDULES, "constant"))

MIGRATIONS: dict[int, Callable[[dict], dict]] = {}
"""For each older version n the function that turns its document into one of version n + 1."""

_PARTS = ("data", "network", "training", "weights", "canvas", "breakpoints", "locks", "doctor")
_KEYS = ("format", "version", *(field.name for field in catalog.EXPERIMENT), *_PARTS)

Row = TypeVar("Row", bound=Kind)


# --- writing --------------------------------------------------------------------------------------------------------


def encode(experiment: Experiment) -> bytes:
    """Return the experiment as UTF-8 JSON. The same experiment always gives the same bytes."""
    heading = {"format": FORMAT, "version": VERSION, **_own(experiment, catalog.EXPERIMENT)}
    parts = {name: _text(value) for name, value in heading.items()}
    parts["data"] = _folded(_choice(experiment.data, catalog.DATASETS), 2)
    parts["network"] = _network(experiment.network)
    parts["training"] = _folded(_training(experiment.training), 2)
    if experiment.weights:
        parts["weights"] = _lines({name: _folded(values, 4) for name, values in experiment.weights.items()}, 2)
    if experiment.canvas:
        parts["canvas"] = _folded({id: list(position) for id, position in experiment.canvas.items()}, 2)
    if experiment.breakpoints:
        rows = ",\n".join(f"    {_text(_breakpoint(one))}" for one in experiment.breakpoints)
        parts["breakpoints"] = f"[\n{rows}\n  ]"
    if experiment.locks:
        parts["locks"] = _folded(experiment.locks, 2)
    if experiment.doctor:
        parts["doctor"] = _folded(experiment.doctor, 2)
    return (_lines(parts, 0) + "\n").encode()


def _choice(choice: Choice, table: dict[str, Kind]) -> dict[str, Any]:
    return {"kind": choice.kind, **_said(choice.settings, table[choice.kind].fields)}


def _network(network: Network) -> str:
    layers = "".join(f"\n      {_text(_layer(layer))}," for layer in network.layers)[:-1]
    links = _folded([[link.source, link.target] for link in network.links], 4)
    return _lines({"layers": f"[{layers}\n    ]" if layers else "[]", "links": links}, 2)


def _layer(layer: Layer) -> dict[str, Any]:
    settings = _said(layer.settings, catalog.LAYERS[layer.kind].fields)
    return {"id": layer.id, "kind": layer.kind, **settings, **_own(layer, catalog.LAYER)}


def _training(training: Training) -> dict[str, Any]:
    choices = {"optimizer": _choice(training.optimizer, catalog.OPTIMIZERS)}
    if training.schedule != DEFAULT_TRAINING.schedule:
        choices["schedule"] = _choice(training.schedule, catalog.SCHEDULES)
    said = _own(training, catalog.TRAINING)
    return {"loss": said.pop("loss"), **choices, **said}


def _breakpoint(one: Breakpoint) -> dict[str, Any]:
    return {"kind": one.kind, **_own(one, (*breakpoints.KINDS[one.kind].fields, breakpoints.SWITCH))}


def _said(values: dict[str, Any], fields: tuple[Field, ...]) -> dict[str, Any]:
    """Return the values a file names: the essential ones, and those that are not the default."""
    return {field.name: values[field.name] for field in fields if field.essential or values[field.name] != field.default}


def _own(part: Any, fields: tuple[Field, ...]) -> dict[str, Any]:
    """Return what a file names of the fields that are attributes of a part."""
    return _said({field.name: getattr(part, field.name) for field in fields}, fields)


_text = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode  # json.dumps would make an encoder for every value


def _lines(parts: dict[str, str], indent: int) -> str:
    """Return an object with one entry a line; the entries' values are texts already."""
    margin = " " * (indent + 2)
    entries = ",\n".join(f"{margin}{_text(name)}: {text}" for name, text in parts.items())
    return f"{{\n{entries}\n{' ' * indent}}}"


def _folded(value: Any, indent: int) -> str:
    """Return the value on one line if it fits, else one entry a line; a list of bare numbers always stays on one."""
    text = _text(value)
    if len(text) + indent <= WIDTH or not isinstance(value, list | dict):
        return text
    if isinstance(value, dict):
        return _lines({name: _folded(entry, indent + 2) for name, entry in value.items()}, indent)
    if not any(isinstance(entry, list | dict) for entry in value):
        return text
    margin = " " * (indent + 2)
    return "[\n" + ",\n".join(margin + _folded(entry, indent + 2) for entry in value) + f"\n{' ' * indent}]"


# --- reading --------------------------------------------------------------------------------------------------------


def decode(data: bytes) -> tuple[Experiment | None, tuple[Problem, ...]]:
    """Return the experiment in UTF-8 JSON, or None and what is wrong with it (at most MOST_PROBLEMS)."""
    reader, excess = _Reader(), too_large(data)
    if excess:
        return None, (excess,)
    try:
        experiment = reader.experiment(_migrated(_parsed(data)))
    except _Fault as fault:
        return None, (*reader.problems, fault.problem)[:MOST_PROBLEMS]
    return (None if reader.problems else experiment), tuple(reader.problems)


def too_large(data: bytes) -> Problem | None:
    """Return why a document has too many parts to be opened, however few bytes each has; None if it has not."""
    for sign, most, what in _MOST_SIGNS:
        count = data.count(sign)
        if count > most:
            message = f"It has about {count:,} {what}; {most:,} are the most."
            return Problem("the whole document", message, "Keep large data in a CSV file, and large weights out of the document.")
    return None


class _Fault(Exception):
    """What stops the reading at once."""

    def __init__(self, place: str, message: str, cure: str) -> None:
        super().__init__(message)
        self.problem = Problem(place, message, cure)


class _Repeated(dict):
    """A JSON object that names a key twice."""

    keys_twice: tuple[str, ...] = ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) == len(pairs):
        return values
    repeated = _Repeated(values)
    names = [name for name, _ in pairs]
    repeated.keys_twice = tuple(name for name in list(values)[: 2 * MOST_PROBLEMS] if names.count(name) > 1)
    return repeated


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError:
        raise
    except ValueError:  # a whole number of thousands of digits: as a float no field takes it, so its place is found
        return json.loads(text, object_pairs_hook=_object, parse_int=lambda digits: int(digits) if len(digits) <= 20 else float(digits))


def _parsed(data: bytes) -> Any:
    try:
        return _loaded(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _Fault(f"byte {error.start + 1}", "This is not UTF-8 text.", "Save the document as UTF-8, or open another file.") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        cure = "The file is cut off or not JSON; mend that place or open another file."
        raise _Fault(place, f"This is not JSON: {error.msg}.", cure) from None
    except RecursionError:
        raise _Fault(
            "the whole document", "Its lists are nested far too deeply.", "Open another file; this is no document of nnviz."
        ) from None


def _migrated(document: Any) -> dict[str, Any]:
    """Return the document in the present version. Raises _Fault if it is none, or of a version unknown here."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise _Fault("format", f'The document does not say "format": "{FORMAT}".', "Open a document of nnviz, or add that line.")
    version = document.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise _Fault("version", f"{shown(version)} is not a version.", f'Write "version": {VERSION}.')
    if version > VERSION:
        message = f"The document has version {version}, and this nnviz reads versions up to {VERSION}."
        raise _Fault("version", message, "Open it with a newer nnviz.")
    for older in range(version, VERSION):
        document = MIGRATIONS[older](document)
    return document


class _Reader:
    """Turns JSON values into the document's, and notes every fault on the way; a faulty part comes back as its default."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def wrong(self, place: str, message: str, cure: str, layer: str = "") -> None:
        """Note a fault; after MOST_PROBLEMS of them, stop reading."""
        self.problems.append(Problem(place, message, cure, layer))
        if len(self.problems) >= MOST_PROBLEMS:
            raise _Fault("the whole document", "There are more faults.", "Mend these first.")

    def experiment(self, document: dict[str, Any]) -> Experiment:
        values = self.group(document, "", _KEYS)
        if "network" not in values:
            self.wrong("network", "It is missing.", 'Add "network": {"layers": [...], "links": [...]}.')
        network = self.network(values.get("network", {}))
        levels = f"Write nested lists with one level per axis, {MOST_WEIGHT_AXES} at most."
        return Experiment(
            network,
            self.choice(values["data"], "data", catalog.DATASETS) if "data" in values else DEFAULT_DATA,
            self.training(values.get("training", {})),
            **self.fields(values, "", catalog.EXPERIMENT),
            weights=self.named(values, "weights", _numbers, "is not made of equally long lists of finite numbers.", levels),
            canvas=self.named(values, "canvas", _position, "is no position.", "Write two numbers: [x, y].", tuple(network.titles)),
            breakpoints=self.breakpoints(values),
            locks=self.named(values, "locks", _locks, "locks nothing.", "Write true, or a list of indices as [[0, 1]]."),
            doctor=self.doctor(values),
        )

    # --- parts ---

    def network(self, value: Any) -> Network:
        values = self.group(value, "network", ("layers", "links"))
        layers = [self.layer(entry, index) for index, entry in enumerate(self.entries(values, "layers", catalog.MOST_LAYERS))]
        ids = self.ids(layers)
        links = [self.link(entry, index, ids) for index, entry in enumerate(self.entries(values, "links", catalog.MOST_LINKS))]
        return Network(tuple(layer for layer in layers if layer), tuple(link for link in links if link))

    def layer(self, value: Any, index: int) -> Layer | None:
        place = f"network.layers[{index}]"
        kind, values = self.row(value, place, catalog.LAYERS, catalog.LAYER, ("id",))
        if kind is None:
            return None
        id = values.get("id")
        if not isinstance(id, str) or not ID.fullmatch(id):
            self.wrong(f"{place}.id", f"{shown(id)} is no id.", "Write a letter first, then letters, digits and _, 40 at most.")
            return None
        return Layer(
            id, kind.name, self.fields(values, place, kind.fields, id, opens=True), **self.fields(values, place, catalog.LAYER, id)
        )

    def link(self, value: Any, index: int, ids: set[str]) -> Link | None:
        place = f"network.links[{index}]"
        if not isinstance(value, list) or len(value) != 2 or not all(isinstance(end, str) for end in value):
            self.wrong(place, f"{shown(value)} is no link.", "Write the ids of two layers: [from, to].")
            return None
        for end in value:
            if end not in ids:
                self.wrong(place, f"No layer has the id {shown(end)}.", offered(end, sorted(ids)[:20]))
                return None
        return Link(*value)

    def training(self, value: Any) -> Training:
        values = self.group(value, "training", ("optimizer", "schedule", *(field.name for field in catalog.TRAINING)))
        tables = {"optimizer": catalog.OPTIMIZERS, "schedule": catalog.SCHEDULES}
        given = {name: self.choice(values[name], f"training.{name}", table) for name, table in tables.items() if name in values}
        return replace(DEFAULT_TRAINING, **given, **self.fields(values, "training", catalog.TRAINING))

    def breakpoints(self, values: dict[str, Any]) -> tuple[Breakpoint, ...]:
        entries = enumerate(self.entries(values, "breakpoints", breakpoints.MOST_BREAKPOINTS, ""))
        found = [self.breakpoint(entry, f"breakpoints[{index}]") for index, entry in entries]
        return tuple(one for one in found if one)

    def breakpoint(self, value: Any, place: str) -> Breakpoint | None:
        kind, values = self.row(value, place, breakpoints.KINDS, (breakpoints.SWITCH,))
        if kind is None:
            return None
        found = Breakpoint(kind.name, **self.fields(values, place, (*kind.fields, breakpoints.SWITCH)))
        if found.is_at_a_place and values.get("target", "") == "":
            self.wrong(f"{place}.target", "It names nothing.", f"Write the {kind.field('target').explanation}.")
        return found

    def doctor(self, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Return what the doctor judges by where it differs from the table."""
        found = {}
        for name, bounds in self.group(values.get("doctor", {}), "doctor", tuple(FINDING_KINDS)).items():
            fields, place = (ENABLED, *FINDING_KINDS[name].fields), f"doctor.{name}"
            given = self.group(bounds, place, tuple(field.name for field in fields))
            read = self.fields(given, place, fields)
            found[name] = {field.name: read[field.name] for field in fields if read.get(field.name, field.default) != field.default}
        return {name: bounds for name, bounds in found.items() if bounds}

    # --- what parts are made of ---

    def group(self, value: Any, place: str, known: tuple[str, ...] | None = None) -> dict[str, Any]:
        """Return a JSON object's entries, without the keys that are not known (None: any are)."""
        if not isinstance(value, dict):
            self.wrong(place, f"{shown(value)} is not an object.", "Write {...} with named entries.")
            return {}
        inside = f"{place}." if place else ""
        for name in getattr(value, "keys_twice", ()):
            self.wrong(f"{inside}{name[:80]}", "It is written twice.", "Keep one of the two.")
        for name in value:
            if known is not None and name not in known:
                self.wrong(f"{inside}{_plain(name[:80])}", "Nothing has this name here.", offered(name, list(known)[:40]))
        return {name: entry for name, entry in value.items() if known is None or name in known}

    def entries(self, values: dict[str, Any], name: str, most: int, inside: str = "network.") -> list[Any]:
        entries = values.get(name, [])
        if not isinstance(entries, list) or len(entries) > most:
            self.wrong(f"{inside}{name}", f"{shown(entries)} is not a list of at most {most:,} {name}.", "Write [...].")
            return []
        return entries

    def named(
        self, values: dict[str, Any], place: str, read: Callable[[Any], Any], fault: str, cure: str, known: tuple[str, ...] | None = None
    ) -> dict[str, Any]:
        """Return what `read` makes of the entries of a group; where it makes None of one, that has this fault. `known`: ids of layers."""
        kept = {}
        for name, value in self.group(values.get(place, {}), place, known).items():
            found = read(value)
            if found is None:
                self.wrong(f"{place}.{name[:80]}", f"{shown(value)} {fault}", cure, name if known else "")
            else:
                kept[_plain(name)] = found
        return kept

    def row(
        self, value: Any, place: str, table: Mapping[str, Row], others: tuple[Field, ...] = (), keys: tuple[str, ...] = ()
    ) -> tuple[Row | None, dict[str, Any]]:
        """Return the row of the kind that an object names, and its entries; None, with the fault noted, where it names none."""
        name = value.get("kind") if isinstance(value, dict) else None
        if not isinstance(value, dict):
            self.wrong(place, f"{shown(value)} is not an object.", 'Write {"kind": ..., ...}.')
        elif not isinstance(name, str) or name not in table:
            self.wrong(f"{place}.kind", f"{shown(name)} is no kind that exists.", offered(str(name), table))
        else:
            kind = table[name]
            return kind, self.group(value, place, (*keys, "kind", *(field.name for field in (*kind.fields, *others))))
        return None, {}

    def choice(self, value: Any, place: str, table: dict[str, Kind]) -> Choice:
        kind, values = self.row(value, place, table)
        return Choice(kind.name, self.fields(values, place, kind.fields)) if kind else Choice("")

    def fields(self, values: dict[str, Any], place: str, fields: tuple[Field, ...], layer: str = "", opens: bool = False) -> dict[str, Any]:
        """Return a value for every field: the one given, or the default. `opens`: a number beyond its limits is no fault of the text."""
        kept = {field.name: field.default for field in fields}
        for field in fields:
            if field.name in values:
                try:
                    kept[field.name] = accepted(field, values[field.name])
                except Refused as refused:
                    if opens and _is_a_number(field, values[field.name]):
                        kept[field.name] = values[field.name]
                        continue
                    self.wrong(".".join(filter(None, (place, field.name))), refused.message, refused.cure, layer)
        return kept

    def ids(self, layers: list[Layer | None]) -> set[str]:
        """Return the ids of the layers, each of which may be there once."""
        ids: set[str] = set()
        for index, layer in enumerate(layers):
            if layer and layer.id in ids:
                self.wrong(
                    f"network.layers[{index}].id", f'Another layer has the id "{layer.id}".', "Give one of them another id.", layer.id
                )
            ids |= {layer.id} if layer else set()
        return ids


def _is_a_number(field: Field, value: Any) -> bool:
    """Whether it is of the field's type, so that only the limits speak against it: the layer is opened, and its problem said there."""
    number = finite(value)
    return number is not None and abs(number) <= _FARTHEST and (field.type == "number" or (field.type, type(value)) == ("integer", int))


def _numbers(value: Any) -> Any:
    return None if shape_of(value) is None else _floats(value)


def _position(value: Any) -> tuple[float, float] | None:
    numbers = [finite(number) for number in value] if isinstance(value, list) and len(value) == 2 else [None]
    return None if None in numbers else tuple(numbers)


def _locks(value: Any) -> Any:
    return value if value is True or (isinstance(value, list) and value and all(_is_index(index) for index in value)) else None


def _is_index(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(place) is int and 0 <= place < 2**31 for place in value)


def _floats(values: Any) -> Any:
    if not isinstance(values, list):
        return float(values)
    return [_floats(entry) for entry in values] if isinstance(values[0], list) else list(map(float, values))


def _plain(text: str) -> str:
    """Return the text without the halves of surrogate pairs that JSON can write and UTF-8 cannot."""
    return text.encode(errors="replace").decode()
