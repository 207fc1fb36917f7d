"""Documents below the limit of bytes, of whatever content: opened or refused within a second and little memory, never read for minutes."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nnviz.document.shapes.report import MOST_PROBLEMS, examine
from nnviz.document.store import files, json_text, saved_run
from nnviz.document.store.files import DocumentError
from tests.document.documents import experiment

SECONDS, MEGABYTES = 2.0, 200
"""Of the processor; a second on a machine that does nothing else."""
BASE = json.loads(files.dumps(experiment()))
LAYER = '{"id":"h1","kind":"dense","units":3}'
BREAKPOINT = '{"kind":"node","target":"h1"}'


def many(one: str, count: int) -> str:
    return "[" + ",".join([one] * count) + "]"


def named(count: int, value: str = "0", name: str = "a{}.b") -> str:
    return "{" + ",".join(f'"{name.format(place)}":{value}' for place in range(count)) + "}"


def rows(count: int, width: int) -> str:
    return many(many("0.12345678", width), count)


LARGE = {
    "many weights": ("weights", lambda: named(1_000_000)),
    "tiny lists": ("weights", lambda: f'{{"h1.weight":{many("[0]", 4_000_000)}}}'),
    "a table": ("data", lambda: f'{{"kind":"table","x":{many("[0]", 3_000_000)},"y":{many("0", 1_900_000)}}}'),
    "locks": ("locks", lambda: f'{{"h1.weight":{many("[0,0]", 2_500_000)}}}'),
    "numbers": ("weights", lambda: f'{{"h1.weight":{many("7", 8_000_000)}}}'),
    "long numbers": ("weights", lambda: f'{{"h1.weight":{many("9" * 4_200, 3_900)}}}'),
    "longer numbers": ("weights", lambda: f'{{"h1.weight":{many("9" * 5_200, 3_000)}}}'),
    "layers": ("network", lambda: f'{{"layers":{many(LAYER, 400_000)},"links":[]}}'),
    "empty layers": ("network", lambda: f'{{"layers":{many("{}", 5_000_000)},"links":[]}}'),
    "a key again and again": ("canvas", lambda: named(2_000_000, name="a")),
    "breakpoints": ("breakpoints", lambda: many(BREAKPOINT, 500_000)),
    "unknown names": ("training", lambda: named(1_000_000, name="k{}")),
    "nested lists": ("weights", lambda: f'{{"h1.weight":{"[" * 7_000_000}{"]" * 7_000_000}}}'),
    "a text": ("title", lambda: f'"{"," * 15_000_000}"'),
    # as much as is read
    "all weights": ("weights", lambda: named(98_000)),
    "all lists": ("weights", lambda: f'{{"h1.weight":{rows(98_000, 9)}}}'),
    "all rows": ("data", lambda: f'{{"kind":"table","x":{rows(98_000, 8)},"y":{many("0", 98_000)}}}'),
    "all numbers": ("weights", lambda: f'{{"h1.weight":{many("0.1234567890123", 990_000)}}}'),
    "all locks": ("locks", lambda: f'{{"h1.weight":{many("[0,0]", 98_000)}}}'),
    "all names": ("training", lambda: named(98_000, name="k{}")),
}


def document(kind: str) -> bytes:
    part, make = LARGE[kind]
    data = json.dumps({**BASE, part: "@"}, separators=(",", ":")).replace('"@"', make()).encode()
    assert len(data) < files.LARGEST[files.EXPERIMENT]
    return data


def opened(data: bytes) -> None:
    try:
        report = examine(files.loads(data))
    except DocumentError as refused:
        assert len(refused.problems) <= json_text.MOST_PROBLEMS and len(str(refused)) < 10_000
    else:
        assert len(report.problems) <= 2 * MOST_PROBLEMS


@pytest.mark.parametrize("kind", LARGE)
def test_any_content_is_read_or_refused_at_once(kind):
    data = document(kind)
    before = time.process_time()
    opened(data)
    assert time.process_time() - before < SECONDS


def measured() -> None:
    """Print by how many megabytes reading all of them makes a process larger, their own bytes aside."""
    opened(document("a text"))  # of all the largest to make
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for kind in LARGE:
        opened(document(kind))
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the size is counted otherwise")
def test_reading_takes_little_memory():
    program = "from tests.document.test_large_documents import measured; measured()"
    root = Path(__file__).parents[2]
    grown = int(subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True).stdout)
    assert grown < MEGABYTES


def test_what_could_not_be_opened_is_not_saved(tmp_path):
    wide = experiment().replaced(weights={f"a{place}.b": [] for place in range(120_000)})
    with pytest.raises(DocumentError, match="100,000 are the most"):
        files.save(tmp_path / "wide.json", wide)
    assert not list(tmp_path.iterdir())


def test_what_is_wrong_with_many_parameters_is_told_of_a_few():
    report = examine(experiment().replaced(weights={f"a{place}.b": 0.0 for place in range(50_000)}))
    told = [problem for problem in report.problems if problem.place.startswith("weights")]
    assert len(told) == MOST_PROBLEMS + 1 and "more problems" in told[-1].message


# --- the run in a file ---


def run_json(**changes) -> bytes:
    first = files.dumps(experiment()).decode()
    return json.dumps({"iteration": 5, "loss": 0.5, "first": first, "changes": []} | changes).encode()


@pytest.mark.parametrize("loss", (10**400, "0.5", True, [1], {}, float("nan"), float("inf"), 10**4000))
def test_a_loss_that_is_no_number_makes_no_run(loss):
    assert saved_run.decode(run_json(loss=loss)) is None


@pytest.mark.parametrize("iteration", (10**400, -1, 1.5, True, "5", None, float("nan"), 10**10))
def test_an_iteration_that_is_none_makes_no_run(iteration):
    assert saved_run.decode(run_json(iteration=iteration)) is None
    change = {"iteration": iteration, "document": files.dumps(experiment()).decode()}
    assert saved_run.decode(run_json(changes=[change])) is None


def test_a_file_with_a_run_of_a_huge_loss_opens_without_it():
    case = Path(__file__).parents[1] / "cases/run-json-loss-hugeint.nnviz"
    assert files.load(case).network.layers and saved_run.decode(files.part(case, saved_run.PART)) is None


def test_ten_thousand_changes_are_read_at_once():
    first = files.dumps(experiment()).decode()
    data = run_json(iteration=10_000, changes=[{"iteration": place, "document": first} for place in range(10_000)])
    before = time.process_time()
    assert len(saved_run.decode(data).log.changes) == 10_000
    assert time.process_time() - before < SECONDS
