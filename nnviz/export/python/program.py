"""A recorded run as a program of torch and numpy alone: a file of Python, or a notebook with texts between its cells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from nnviz.export.python._loop_code import has_validation, training_code
from nnviz.export.python._proof_code import end_weights, load_code, proof_code, recorded_code, trained_code
from nnviz.export.python.change_code import edited_weights
from nnviz.export.python.data_code import data_code, file_rows, is_split
from nnviz.export.python.net_code import net_code
from nnviz.export.python.python_text import joined, wrapped
from nnviz.export.python.run_course import RunCourse
from nnviz.export.python.start_code import has_start, own_weights, start_code
from nnviz.records.recorded_run import RecordedRun

_IMPORTS = (
    *((rf"\b{name}\.", f"import {name}") for name in ("base64", "copy", "csv", "functools", "hashlib", "itertools", "math", "sys")),
    ("", ""),
    (r"\bnp\.", "import numpy as np"),
    (r"\btorch\.", "import torch"),
    (r"\bF\.", "import torch.nn.functional as F"),
    (r"\bdatasets\.", "from sklearn import datasets"),
    (r"\btrain_test_split\(", "from sklearn.model_selection import train_test_split"),
    (r"\bnn\.", "from torch import nn"),
)
"""What a program imports where it uses it; "" for an empty line."""
_SEED_FOR = '''def seed_for(*purpose):
    """Return a number that depends on SEED and the purpose alone."""
    words = [SEED]
    for word in purpose:
        if isinstance(word, str):
            word = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "little")
        words.append(word)
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0]) >> 1'''
_GENERATOR = '''def generator(*purpose):
    """Return random numbers for this purpose, whatever else is drawn."""
    return torch.Generator().manual_seed(seed_for(*purpose))'''
_SEED_ITERATION = '''def seed_iteration(iteration):
    """Let what is drawn in an iteration depend on SEED and its number alone."""
    block = np.random.SeedSequence([SEED, iteration // 64])
    numbers = block.generate_state(64, np.uint64)
    torch.manual_seed(int(numbers[iteration % 64]) >> 1)'''


class ProgramSection(NamedTuple):
    """A part of a program, with what a notebook tells of it."""

    title: str
    text: str
    code: str


def script_text(run: RecordedRun) -> str:
    """Return the run as a file of Python, laid out as `ruff format` does. Raises ValueError, as a sentence, for what has no form there."""
    course = RunCourse(run)
    sections = [*_sections(run, course), ProgramSection("run", "", _main(run, course))]
    code = _without_texts(section.code for section in sections)
    head = "\n\n".join([_docstring(run), _imports(code), _constants(run, course, code)])
    parts = [f"# --- {section.title} ---\n\n\n{section.code}" for section in sections[:-1]]
    return "\n\n\n".join([head, *parts, sections[-1].code]) + "\n"


def notebook_text(run: RecordedRun) -> str:
    """Return the run as a notebook, format 4.5. Raises ValueError as `script_text` does."""
    course = RunCourse(run)
    sections = [*_sections(run, course), ProgramSection("Run", _RUN_TEXT, _cell_main(run, course))]
    code = _without_texts(section.code for section in sections)
    first = f"{_imports(code)}\n\n{_constants(run, course, code)}"
    cells = [("markdown", f"# {_headline(run)}\n\n{_told(run)}"), ("code", first)]
    for section in sections:
        cells += [("markdown", f"## {section.title[0].upper()}{section.title[1:]}\n\n{section.text}".strip()), ("code", section.code)]
    return notebook(cells)


def notebook(cells: Sequence[tuple[str, str]]) -> str:
    """Return the JSON of a notebook of these cells: markdown or code, and the text."""
    written: list[dict[str, Any]] = []
    for number, (kind, text) in enumerate(cells):
        cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": text.splitlines(keepends=True)}
        written.append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    whole = {"cells": written, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _without_texts(codes: Iterable[str]) -> str:
    """The source without what stands in texts of several lines: descriptions, and the bytes of weights."""
    return "\n".join("".join(code.split('"""')[::2]) for code in codes)


# --- the parts ---


def _sections(run: RecordedRun, course: RunCourse) -> list[ProgramSection]:
    own = own_weights(run)
    weights = [end_weights(run, course), *([own] if own else []), *edited_weights(course)]
    rows = file_rows(run)
    loaded = "x_train, y_train, x_validation, y_validation" if is_split(run) else "x_train, y_train"
    data = joined([rows.text() if rows else "", f"{data_code(run, course)}\n\n\n{loaded} = load_data()"])
    start, train = start_code(run, course, own), training_code(run, course)
    proof = joined([load_code(run, weights), trained_code(course), proof_code(run, course)])
    recorded = joined([recorded_code(run), *(one.text() for one in weights)])
    seeds = _seeds(data + start + train)
    sections = (
        ProgramSection("random numbers", _SEEDS_TEXT, seeds),
        ProgramSection("data", _DATA_TEXT, data),
        ProgramSection("network", _NET_TEXT, net_code(course)),
        ProgramSection("first weights", _WEIGHTS_TEXT, start),
        ProgramSection("training", _TRAINING_TEXT, train),
        ProgramSection("comparison", _PROOF_TEXT, proof),
        ProgramSection("what nnviz recorded", _RECORDED_TEXT, recorded),
    )
    return [section for section in sections if section.code]


_SEEDS_TEXT = "Every purpose has random numbers of its own, so that no draw depends on another."
_DATA_TEXT = "The rows, split and scaled; what scaling needs to know it takes from the rows that are trained on."
_NET_TEXT = "The layers bear the names they have in nnviz."
_WEIGHTS_TEXT = "The weights the network starts with, drawn as they were in nnviz or set by hand."
_TRAINING_TEXT = "Every iteration as it was made, with the changes that were made on the way."
_PROOF_TEXT = "What is needed to compare losses and weights with those that nnviz recorded, to the bit."
_RECORDED_TEXT = "The digests of losses and weights, and the weights at the end."
_RUN_TEXT = "Train, and compare."


def _seeds(code: str) -> str:
    used = [(text, rf"\b{name}\(") for text, name in ((_GENERATOR, "generator"), (_SEED_ITERATION, "seed_iteration"))]
    found = [text for text, name in used if re.search(name, code)]
    needs_seed = _GENERATOR in found or "seed_for(" in code
    return joined([*([_SEED_FOR] if needs_seed else []), *found])


def _headline(run: RecordedRun) -> str:
    title = run.experiment.title.replace("\\", "/").replace('"', "'").strip() or "Untitled"
    return f"{title.rstrip('.')}: a run of nnviz as a program of its own."


def _told(run: RecordedRun, about_words: str = "") -> str:
    libraries = dict(run.libraries)
    made = " and ".join(f"{name} {libraries[name]}" for name in ("torch", "numpy") if name in libraries)
    return (
        "It trains the network as nnviz did, iteration by iteration, and says at its end whether losses and weights are the same to the "
        f"bit. {about_words}Recorded with {made}, in one thread; other versions, or another processor, may round otherwise."
    )


def _docstring(run: RecordedRun) -> str:
    lines = wrapped(_headline(run), 85)
    told = _told(run, "With --trained it loads the weights of the end instead. ")
    return "\n".join(['"""' + lines[0], *lines[1:], "", *wrapped(told, 88), '"""'])


def _imports(code: str) -> str:
    whole = code + "\ntorch."
    lines = [line for pattern, line in _IMPORTS if not line or re.search(pattern, whole)]
    return "\n".join(lines).strip()


def _constants(run: RecordedRun, course: RunCourse, code: str) -> str:
    lines = [f"SEED = {run.experiment.seed}"] if re.search(r"\bSEED\b", code) else []
    lines.append(f"ITERATIONS = {run.iterations}")
    size = run.experiment.training.batch_size
    if re.search(r"\bBATCH_SIZE\b", code):
        lines.append(f"BATCH_SIZE = {size}")
    if re.search(r"\bEPOCH\b", code):
        lines.append(f"EPOCH = {-(-run.data.trained // size)}  # iterations in which every row comes once")
    settings = ["torch.set_num_threads(1)  # how many share a sum decides how it is rounded"]
    if run.experiment.precision == "float64":
        settings.append("torch.set_default_dtype(torch.float64)")
    if "nn.MultiheadAttention" in code:
        settings.append("torch.backends.mha.set_fastpath_enabled(False)  # it rounds in another way")
    return "\n".join([*lines, "", *settings])


def _main(run: RecordedRun, course: RunCourse) -> str:
    lines = [
        'if "--trained" in sys.argv:',
        "    sys.exit(0 if is_same(trained()) else 1)",
        *_running(run, course),
        "same = [are_same(losses), is_same(model)]",
        "sys.exit(0 if all(same) else 1)",
    ]
    return "\n".join(['if __name__ == "__main__":', *(f"    {line}" for line in lines)])


def _cell_main(run: RecordedRun, course: RunCourse) -> str:
    return "\n".join([*_running(run, course), "same = [are_same(losses), is_same(model)]", "assert all(same)"])


def _running(run: RecordedRun, course: RunCourse) -> list[str]:
    start = ["model = Net()", *(["initialize(model)"] if has_start(run) else [])]
    result = "model, losses" if course.rebuilds else "losses"
    every = max(1, run.iterations // 50)
    lines = [*start, f"{result} = train(model)"]
    if every == 1:
        lines += ["for iteration, loss in enumerate(losses, 1):", '    print(f"iteration {iteration}: loss {loss!r}")']
    else:
        lines += [
            f"for iteration in range({every}, ITERATIONS + 1, {every}):",
            '    print(f"iteration {iteration}: loss {losses[iteration - 1]!r}")',
        ]
    if has_validation(run, course):
        lines.append('print(f"validation loss: {validation_loss(model):.6g}")')
    return lines
