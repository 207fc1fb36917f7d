"""The rows of a run as source: drawn, read or written out, split, scaled, and as the loss takes them.

Long because every source of data is written here.
"""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent

from nnviz.document import adversarial, tiny_text
from nnviz.document.network import Choice
from nnviz.export.python.python_text import WIDTH, Bracketed, WeightConstant, assigned, block, flat, joined, number, numbers, quoted
from nnviz.export.python.run_course import RunCourse
from nnviz.records.recorded_run import CsvReading, RecordedRun
from nnviz.records.tensors import Array

RANDOM_STATE = 'np.random.RandomState(seed_for("data") % 2**32)'
GENERATOR = 'np.random.default_rng(seed_for("data") % 2**32)'
BUNDLED = ("iris", "wine", "breast_cancer", "digits")
SPLIT_SEED = 'seed_for("split") % 2**32'


def data_code(run: RecordedRun, course: RunCourse) -> str:
    """Return the functions that make the rows; the last is `load_data`."""
    source, seed = SOURCES[run.experiment.data.kind](run)
    parts = [source, _split_code(run), _scaling_code(run)]
    return joined([*parts, _load_code(run, course, seed)])


def file_rows(run: RecordedRun) -> WeightConstant | None:
    """Return the rows of a file that plain lines of Python do not read, as a constant."""
    return WeightConstant("ROWS", {"x": run.data.x, "y": run.data.y}, is_short=False) if run.data.x and run.data.y else None


def is_split(run: RecordedRun) -> bool:
    """Return whether rows are held out."""
    return run.data.rows > run.data.trained


# --- the sources: the functions of one, and the call that gives x and y ---

Written = tuple[str, str]


def _halves(samples: int) -> tuple[int, int]:
    return samples // 2, samples - samples // 2


def _two_classes(name: str, what: str, first: str, second: str) -> Callable[[RecordedRun], Written]:
    """Two classes along curves, shuffled and then moved by noise."""

    def written(run: RecordedRun) -> Written:
        data = run.experiment.data
        one, other = _halves(data["samples"])
        text = block(
            """
            def make_<name>():
                \"\"\"Return points of <what>, and their classes.\"\"\"
                random = <random>
                <first>
                <second>
                <curves>
                order = np.arange(<samples>)
                random.shuffle(order)
                x = np.vstack([first, second]).T[order]
                y = np.repeat([0, 1], [<one>, <other>])[order]
                x += random.normal(scale=<noise>, size=x.shape)
                return x, y
            """,
            name=name,
            what=what,
            random=RANDOM_STATE,
            first=first.replace("COUNT", str(one)),
            second=second.replace("COUNT", str(other)),
            curves=_CURVES[name],
            samples=str(data["samples"]),
            one=str(one),
            other=str(other),
            noise=repr(data["noise"]),
        )
        return text, f"make_{name}()"

    return written


_CURVES = {
    "moons": "first = np.append(np.cos(upper), 1 - np.cos(lower))\nsecond = np.append(np.sin(upper), 1 - np.sin(lower) - 0.5)",
    "circles": "first = np.append(np.cos(outer), np.cos(inner) * 0.5)\nsecond = np.append(np.sin(outer), np.sin(inner) * 0.5)",
}


def _blobs(run: RecordedRun) -> Written:
    samples, classes = run.experiment.data["samples"], run.experiment.data["classes"]
    text = block(
        """
        def make_blobs():
            \"\"\"Return clouds around centres drawn from the square ±10, and their classes.\"\"\"
            random = <random>
            sizes = np.full(<classes>, <size>)
            sizes[:<more>] += 1
            centers = random.uniform(-10.0, 10.0, (<classes>, 2))
            clouds = []
            for center, size in zip(centers, sizes):
                clouds.append(random.normal(center, <noise>, (size, 2)))
            order = np.arange(<samples>)
            random.shuffle(order)
            return np.concatenate(clouds)[order], np.repeat(np.arange(<classes>), sizes)[order]
        """,
        random=RANDOM_STATE,
        samples=str(samples),
        classes=str(classes),
        size=str(samples // classes),
        more=str(samples % classes),
        noise=repr(run.experiment.data["noise"]),
    )
    return (text if samples % classes else text.replace("    sizes[:0] += 1\n", "")), "make_blobs()"


def _drawn(name: str, what: str, body: str) -> Callable[[RecordedRun], Written]:
    """Rows that numpy's newer generator draws."""

    def written(run: RecordedRun) -> Written:
        data = run.experiment.data
        head = f'def make_{name}():\n    """Return {what}."""\n    random = {GENERATOR}\n'
        values = {key: repr(value) for key, value in data.settings.items() if not isinstance(value, list)}
        return head + indent(block(body, **values), "    "), f"make_{name}()"

    return written


_SPIRAL = _drawn(
    "spiral",
    "two arms of one and a half turns, and the arm of each point",
    """
    y = np.arange(<samples>) % 2
    along = np.sqrt(random.uniform(0.01, 1.0, len(y)))
    angle = 3 * np.pi * along + np.pi * y
    x = 3 * along[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return x + random.normal(0.0, <noise>, x.shape), y
    """,
)
_RINGS = _drawn(
    "rings",
    "points on rings of radius 1, 2, 3, …, and the ring of each",
    """
    y = np.arange(<samples>) % <classes>
    angle = random.uniform(0.0, 2 * np.pi, len(y))
    x = (y + 1)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return x + random.normal(0.0, <noise>, x.shape), y
    """,
)
_SQUARE = _drawn(
    "xor",
    "points of the square ±1, and 1 where the signs of both numbers differ",
    """
    x = random.uniform(-1.0, 1.0, (<samples>, 2))
    x[0], x[1] = (0.5, 0.5), (0.5, -0.5)  # both classes are there, however few rows
    y = (x[:, 0] * x[:, 1] < 0).astype(np.int64)
    return x + random.normal(0.0, <noise>, x.shape), y
    """,
)
_SINE = _drawn(
    "sine",
    "x drawn from ±2π, and its sine with noise",
    """
    x = random.uniform(-2 * np.pi, 2 * np.pi, (<samples>, 1))
    return x, np.sin(x) + random.normal(0.0, <noise>, x.shape)
    """,
)
_CORNERS = """def make_xor():
    \"\"\"Return the corners of a square, and 1 where the signs of both numbers differ.\"\"\"
    x = np.array([(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)])
    return x, np.array([0, 1, 1, 0])"""


def _xor(run: RecordedRun) -> Written:
    return (_CORNERS, "make_xor()") if run.experiment.data["corners"] else _SQUARE(run)


# --- series ---

_WINDOWS = """def windows(series, targets):
    \"\"\"Return every window of <window> steps, and the target <behind> behind each.\"\"\"
    x = np.lib.stride_tricks.sliding_window_view(series, <window>, axis=0)
    count = len(series) - <reach>
    x = x.transpose(0, 2, 1)[:count].reshape(count, -1).copy()
    return x, targets[<reach>:][:count]"""

_WAVES = {
    "sine_wave": "series = np.sin(2 * np.pi * np.arange(<steps>) / <period>)\nseries = series + random.normal(0.0, <noise>, <steps>)",
    "sawtooth": "series = 2 * (np.arange(<steps>) / <period> % 1.0) - 1\nseries = series + random.normal(0.0, <noise>, <steps>)",
    "ar": """
# by Levinson and Durbin's recursion, which makes no series that grows without end
weights = np.zeros(0)
for partial in random.uniform(-0.8, 0.8, <order>):
    weights = np.append(weights - partial * weights[::-1], partial)
# 500 steps pass before it counts
noise = random.normal(0.0, <noise>, 500 + <steps>)
series = np.zeros(<order> + len(noise))
for step, shock in enumerate(noise):
    before = series[step : <order> + step][::-1]
    series[<order> + step] = weights @ before + shock
series = series[-<steps>:]
""".strip(),
    "volatility": """
alpha, beta = <alpha>, <beta>
# 500 steps pass before it counts
shocks = random.normal(0.0, 1.0, 500 + <steps>)
series, variance = np.empty(500 + <steps>), 1.0
for step, shock in enumerate(shocks):
    series[step] = np.sqrt(variance) * shock
    variance = 1 - alpha - beta + alpha * series[step] ** 2 + beta * variance
series = series[-<steps>:]
""".strip(),
}
_SAID = {
    "sine_wave": "a sine with noise",
    "sawtooth": "a sawtooth with noise",
    "ar": "an autoregressive series",
    "volatility": "values whose calm and wild times alternate",
}


def _series(run: RecordedRun) -> Written:
    data = run.experiment.data
    steps = data["samples"] + data["window"] + data["horizon"] - 1
    values = {key: repr(value) for key, value in data.settings.items()} | {"steps": str(steps)}
    body = block(_WAVES[data.kind], **values)
    targets = "np.abs(series)" if data.kind == "volatility" else "series"
    lines = [
        f"def make_{data.kind}():",
        f'    """Return windows of {_SAID[data.kind]}, and the value that follows."""',
        f"    random = {GENERATOR}",
        *(f"    {line}" for line in body.split("\n")),
        f"    return windows(series[:, None], {targets}[:, None])",
    ]
    return joined([_windows(data), "\n".join(lines)]), f"make_{data.kind}()"


def _windows(data: Choice) -> str:
    horizon = data.settings.get("horizon", 1)
    behind = f"{horizon} step" + ("" if horizon == 1 else "s")
    reach = data["window"] + horizon - 1
    return block(_WINDOWS, window=str(data["window"]), behind=behind, reach=str(reach))


def _text(run: RecordedRun) -> Written:
    data = run.experiment.data
    deeds = Bracketed("[", tuple(Bracketed("(", tuple(map(quoted, deed)), ")") for deed in tiny_text.DEEDS), "]")
    cut = "list(text)" if data["unit"] == "characters" else 'text.replace(".", " .").split()'
    unit = data["unit"].removesuffix("s")
    text = block(
        """
        def make_text():
            \"\"\"Return windows of token numbers, and the number of the <unit> that follows.\"\"\"
            verses = ["this is the house that jack built."]
            for count in range(1, len(DEEDS) + 1):
                told = [f"the {who} that {deed}" for who, deed in reversed(DEEDS[:count])]
                verses.append(f"this is {' '.join(told)}.")
            text = " ".join(verses)
            tokens = <cut>
            vocabulary = sorted(set(tokens))
            numbers = np.array([vocabulary.index(token) for token in tokens])
            return windows(numbers[:, None].astype(np.float64), numbers)
        """,
        unit=unit,
        cut=cut,
    )
    return joined([assigned("DEEDS", deeds), _windows(data), text]), "make_text()"


# --- tables ---


def _table(run: RecordedRun) -> Written:
    data = run.experiment.data
    x, rows = _constant("X", data["x"], "np.float64")
    y, targets = _constant("Y", data["y"], "np.float64" if isinstance(data["y"][0], list | tuple) else "np.int64")
    return (f"{x}\n{y}", f"{rows}\ny = {targets}") if uses_labels(run) else (x, rows)


def _constant(name: str, rows: list, dtype: str) -> tuple[str, str]:
    """The rows as a list, or, where they are wide, as a text; and the expression that makes an array of it."""
    has_columns = isinstance(rows[0], list | tuple)
    plain = assigned(name, numbers(rows))
    if ("\n" not in plain) if not has_columns else all(len(flat(numbers(row))) + 5 <= WIDTH for row in rows):
        return plain, f"np.array({name}, dtype={dtype})"
    lines = [_filled_lines([number(value) for value in row]) for row in (rows if has_columns else [rows])]
    text = "\n".join(lines)
    shape = f".reshape(-1, {len(rows[0])})" if has_columns else ""
    return f'{name} = """\n{text}\n"""', f"np.array({name}.split(), dtype={dtype}){shape}"


def _filled_lines(words: list[str]) -> str:
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > 88:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


_FILE = """
def make_table():
    \"\"\"Return the columns of a file, and the target of each row.\"\"\"
    with open(PATH, newline="", encoding="<encoding>") as file:
        lines = csv.reader(file<separator>, skipinitialspace=True)
        rows = [[cell.strip() for cell in line] for line in lines if any(line)]<skipped>
    <x>
    <y>
    <ending>
"""


_DECIMAL_COMMA = """def number(cell):
    \"\"\"Return the number of a cell, with a comma before its fraction.\"\"\"
    return float(cell.replace(",", "."))"""


def _file(run: RecordedRun) -> Written:
    reading, window = run.data.csv, run.experiment.data["window"]
    if reading is None:
        x, y = _of_bytes("x", run.data.x), _of_bytes("y", run.data.y)
        said = "Return the rows of the file as nnviz read it, and the target of each."
        return f'def make_table():\n    """{said}"""\n    {x}\n    {y}\n    return x, y', "make_table()"
    text = block(
        _FILE,
        encoding=reading.encoding,
        separator="" if reading.separator == "," else f", delimiter={quoted(reading.separator)}",
        skipped="",
        x=_file_inputs(reading),
        y=_file_target(reading),
        ending="return windows(x, y)" if window else "return x, y",
    )
    if reading.skipped:
        text = text.replace("if any(line)]\n", f"if any(line)]\n    del rows[:{reading.skipped}]  # the names of the columns\n", 1)
    parts = [assigned("PATH", quoted(reading.path)), _DECIMAL_COMMA if reading.decimal == "," else ""]
    return joined([*parts, _windows(run.experiment.data) if window else "", text]), "make_table()"


def _of_bytes(name: str, array: Array) -> str:
    shape = f".reshape({', '.join(map(str, array.shape))})" if len(array.shape) > 1 else ""
    data = f'data = bytearray(base64.b64decode(ROWS["{name}"]))'
    return f"{data}\n    {name} = np.frombuffer(data, dtype=np.{array.dtype}){shape}"


def _number_of(reading: CsvReading, place: int) -> str:
    return f"float(row[{place}])" if reading.decimal == "." else f"number(row[{place}])"


def _file_inputs(reading: CsvReading) -> str:
    places = [str(use.place) for use in reading.features]
    lines = []
    if not any(use.words for use in reading.features):
        number = _number_of(reading, 0).replace("[0]", "[place]")
        lines.append(assigned("places", numbers([int(place) for place in places]), 4))
        return "\n".join([*lines, f"x = np.array([[{number} for place in places] for row in rows])"])
    lines.append("columns = []")
    for use in reading.features:
        if use.words:
            words = assigned("words", Bracketed("[", tuple(map(quoted, use.words)), "]"), 4)
            lines += [words, f"columns += [[float(row[{use.place}] == word) for row in rows] for word in words]"]
        else:
            lines.append(f"columns.append([{_number_of(reading, use.place)} for row in rows])")
    return "\n".join([*lines, "x = np.array(columns).T.copy()"])


def _file_target(reading: CsvReading) -> str:
    number, place = _number_of(reading, reading.target.place), reading.target.place
    if reading.target_is == "numbers":
        return f"y = np.array([[{number}] for row in rows])"
    value = number if reading.target_is == "classes" else f"row[{place}]"
    return f"_, y = np.unique([{value} for row in rows], return_inverse=True)"


def _bundled(run: RecordedRun) -> Written:
    name = run.experiment.data.kind
    return "", f"datasets.load_{name}(return_X_y=True)"


SOURCES: dict[str, Callable[[RecordedRun], Written]] = {
    "moons": _two_classes(
        "moons", "two interleaved half circles", "upper = np.linspace(0, np.pi, COUNT)", "lower = np.linspace(0, np.pi, COUNT)"
    ),
    "circles": _two_classes(
        "circles",
        "a circle around another",
        "outer = np.linspace(0, 2 * np.pi, COUNT, endpoint=False)",
        "inner = np.linspace(0, 2 * np.pi, COUNT, endpoint=False)",
    ),
    "blobs": _blobs,
    "rings": _RINGS,
    "spiral": _SPIRAL,
    "xor": _xor,
    "sine": _SINE,
    **dict.fromkeys(_WAVES, _series),
    "text": _text,
    **dict.fromkeys(BUNDLED, _bundled),
    "table": _table,
    "csv": _file,
}
"""Data kind -> function (run) -> (source, the expression for x and y)."""


# --- the split ---


def _split_code(run: RecordedRun) -> str:
    if not is_split(run) or run.experiment.data.kind in BUNDLED or is_in_time(run):
        return ""
    if not run.data.shares:
        held = run.data.rows - run.data.trained
        return (
            "def split(y):\n"
            '    """Hold out rows at random; return which are trained on."""\n'
            f"    random = np.random.RandomState({SPLIT_SEED})\n"
            "    training = np.ones(len(y), dtype=bool)\n"
            f"    training[random.permutation(len(y))[:{held}]] = False\n"
            "    return training"
        )
    return _BY_LOT_SPLIT.replace("<held>", str(run.data.rows - run.data.trained)) if run.data.is_by_lot else _even_split(run)


def _even_split(run: RecordedRun) -> str:
    shares = run.data.shares
    trained, held = [share.trained for share in shares], [share.held_out for share in shares]
    is_same = len(set(shares)) == 1
    loop = "for label in np.unique(y):" if is_same else f"for label, first, count in zip(np.unique(y), {trained}, {held}):"
    chosen = f"{trained[0]}:{trained[0] + held[0]}" if is_same else "first : first + count"
    each = f"{held[0]} rows of every class" if is_same else "the same share of every class"
    lines = (
        "def split(y):",
        f'    """Hold out {each}; return which rows are trained on."""',
        f"    random = np.random.RandomState({SPLIT_SEED})",
        "    training = np.ones(len(y), dtype=bool)",
        *([] if is_same else [f"    {assigned('trained', numbers(trained), 4)}", f"    {assigned('held', numbers(held), 4)}"]),
        f"    {loop}" if is_same else "    for label, first, count in zip(np.unique(y), trained, held):",
        "        rows = np.flatnonzero(y == label)",
        f"        chosen = random.permutation(len(rows))[{chosen}]",
        "        training[rows[chosen]] = False",
        "    return training",
    )
    return "\n".join(lines)


_BY_LOT_SPLIT = '''def shares(sizes, count, random):
    """Return how many of `count` rows fall to each class; lots are drawn for the rest."""
    exact = sizes / sizes.sum() * count
    found = np.floor(exact)
    remainders, left = exact - found, int(count - found.sum())
    for remainder in np.unique(remainders)[::-1]:
        if left <= 0:
            break
        (equal,) = np.where(remainders == remainder)
        size = min(len(equal), left)
        found[random.choice(equal, size=size, replace=False)] += 1
        left -= size
    return found.astype(int)


def split(y):
    """Hold out <held> rows, of every class its share; return which are trained on."""
    random = np.random.RandomState(seed_for("split") % 2**32)
    labels, sizes = np.unique(y, return_counts=True)
    trained = shares(sizes, len(y) - <held>, random)
    held = shares(sizes - trained, <held>, random)
    training = np.ones(len(y), dtype=bool)
    for label, first, count in zip(labels, trained, held):
        rows = np.flatnonzero(y == label)
        training[rows[random.permutation(len(rows))[first : first + count]]] = False
    return training'''


def is_in_time(run: RecordedRun) -> bool:
    """Return whether the rows follow each other in time, so that the last are held out."""
    data = run.experiment.data
    return data.kind in _WAVES or data.kind == "text" or bool(data.kind == "csv" and data["window"])


# --- scaling ---

_EXACT = {
    "standardise": '''def standardised(x, fitted):
    """Return x with mean 0 and standard deviation 1, as a StandardScaler has it."""
    count, total = len(fitted), fitted.sum(0)
    off = fitted - total / count
    variance = ((off**2).sum(0) - off.sum(0) ** 2 / count) / count
    mean, epsilon = (0.0 + total) / count, np.finfo(np.float64).eps
    bound = epsilon * count * variance + (count * mean * epsilon) ** 2
    return (x - mean) / np.where(variance <= bound, 1.0, np.sqrt(variance))''',
    "min-max": '''def to_unit_range(x, fitted):
    """Return x between 0 and 1, as a MinMaxScaler has it."""
    low, width = fitted.min(0), fitted.max(0) - fitted.min(0)
    scale = 1.0 / np.where(width < 10 * np.finfo(np.float64).eps, 1.0, width)
    return x * scale + (0.0 - low * scale)''',
}
_EXACT_NAMES = {"standardise": "standardised", "min-max": "to_unit_range"}


def _scaling_code(run: RecordedRun) -> str:
    used = {kind for kind, is_plain in _scalings(run).values() if not is_plain}
    return joined(text for kind, text in _EXACT.items() if kind in used)


def _scalings(run: RecordedRun) -> dict[str, tuple[str, bool]]:
    """For x and y how they are scaled, and whether plain formulas do it; nothing for what stays as it is."""
    settings, found = run.experiment.data.settings, {}
    if settings.get("scaling", "none") != "none":
        found["x"] = settings["scaling"], run.data.is_plain
    target = settings.get("target_scaling", "none")
    if target != "none" and not run.data.classes and run.experiment.training.target == "labels":
        found["y"] = target, run.data.is_plain_target
    return found


def _scaled(run: RecordedRun, name: str) -> list[str]:
    """Statements that scale x or y, fitted on the rows that are trained on."""
    kind, is_plain = _scalings(run).get(name, ("", True))
    if not kind:
        return []
    rows, fitted, back = name, f"{name}[training]" if is_split(run) else name, ""
    first = []
    if name == "x" and is_in_time(run):
        flat_rows = f".reshape(-1, {run.data.columns})"
        first, rows, fitted, back = [f"fitted = {fitted}{flat_rows}"], rows + flat_rows, "fitted", ".reshape(x.shape)"
    if not is_plain:
        return [*first, f"{name} = {_EXACT_NAMES[kind]}({rows}, {fitted}){back}"]
    if kind == "standardise":
        formula = f"({rows} - {fitted}.mean(0)) / {fitted}.std(0)"
    else:
        first.append(f"low, high = {fitted}.min(0), {fitted}.max(0)")
        formula = f"({rows} - low) / (high - low)"
    return [*first, f"{name} = ({formula}){back}" if back else f"{name} = {formula}"]


# --- as the loss takes them ---


def _noise_lines(run: RecordedRun) -> list[str]:
    """Columns that tell nothing of the target, behind the features and as wide as these."""
    count = run.experiment.data.settings.get("noise_columns", 0)
    if not count:
        return []
    drawn = [
        'random = np.random.default_rng(seed_for("noise columns") % 2**32)',
        f"noise = random.normal(0.0, x.std(0).mean(), (len(x), {count}))",
    ]
    return [*drawn, "x = np.concatenate([x, noise], axis=1)"]


def _load_code(run: RecordedRun, course: RunCourse, source: str) -> str:
    experiment, split = run.experiment, is_split(run)
    target = experiment.training.target
    lines = _source_lines(run, source) + _noise_lines(run)
    lines += _training_mask(run)
    lines += _scaled(run, "x") + _scaled(run, "y")
    if target == "input":
        lines.append("y = x.clip(0.0, 1.0)" if experiment.training.loss == "bce" else "y = x")
    elif target == adversarial.TARGET:
        lines.append("y = np.ones(len(x), dtype=np.int64)  # all of them are real")
    lines += [_input_tensor(run), _target_tensor(run, course)]
    if split:
        lines.append("kept = torch.from_numpy(training)")
        lines.append("return x[kept], y[kept], x[~kept], y[~kept]")
        said = "Return the rows that are trained on, x and y, then those that are held out."
    else:
        lines.append("return x, y")
        said = "Return the rows, x and y."
    return f'def load_data():\n    """{said}"""\n' + indent("\n".join(lines), "    ")


def _source_lines(run: RecordedRun, source: str) -> list[str]:
    if run.experiment.data.kind == "table":
        return f"x = {source}".split("\n")
    return [f"x, y = {source}" if uses_labels(run) else f"x, _ = {source}"]


def uses_labels(run: RecordedRun) -> bool:
    """Return whether what the data says of its rows is used: as targets, or to hold out rows of every class."""
    return run.experiment.training.target == "labels" or (is_split(run) and not is_in_time(run))


def _training_mask(run: RecordedRun) -> list[str]:
    """Which rows are trained on, as numpy has it."""
    if not is_split(run):
        return []
    held = run.data.rows - run.data.trained
    if is_in_time(run):
        return [f"training = np.arange(len(x)) < {run.data.trained}  # the last are held out"]
    if run.experiment.data.kind in BUNDLED:
        stratify = ", stratify=y" if run.data.shares else ""
        call = f"held_out = train_test_split(np.arange(len(y)), test_size={held}{stratify}, random_state=seed)[1]"
        return [f"seed = {SPLIT_SEED}", _split_call(call), "training = np.ones(len(y), dtype=bool)", "training[held_out] = False"]
    return ["training = split(y)"]


def _split_call(call: str) -> str:
    if len(call) + 4 <= 88:
        return call
    _, rest = call.split("train_test_split(")
    inside = rest.removesuffix(")[1]")
    return f"_, held_out = train_test_split(\n    {inside}\n)"


def dtype_call(run: RecordedRun) -> str:
    """Return the method that gives a tensor the precision of the run."""
    return ".float()" if run.experiment.precision == "float32" else ".double()"


def _input_tensor(run: RecordedRun) -> str:
    layer = next(layer for layer in run.experiment.network if layer.kind == "input")
    shape = tuple(layer["shape"])
    cast = dtype_call(run)
    reshaped = f".reshape(-1, {', '.join(map(str, shape))})" if len(shape) > 1 else ""
    return f"x = torch.from_numpy(x){cast}{reshaped}"


def _target_tensor(run: RecordedRun, course: RunCourse) -> str:
    if not run.data.classes:
        return f"y = torch.from_numpy(y){dtype_call(run)}"
    if course.has_several_targets:
        return "y = torch.from_numpy(y)"
    return f"y = {target_of_classes('torch.from_numpy(y)', run, course.first.training.loss, course.outputs)}"


def target_of_classes(numbers: str, run: RecordedRun, loss: str, outputs: set[int]) -> str:
    """Return the source of what a loss compares the output with, where `numbers` are class numbers; of several outputs by `output`."""
    if loss == "cross_entropy":
        return numbers
    single = f"{numbers}.unsqueeze(1){dtype_call(run)}"
    several = f"F.one_hot({numbers}, {max(outputs)}){dtype_call(run)}"
    return single if outputs == {1} else several if len(outputs) == 1 else f"{single} if output.shape[1] == 1 else {several}"
