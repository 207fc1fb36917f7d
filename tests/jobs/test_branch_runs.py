"""Runs that were saved as branches of a document are made again on the command line, to the bit."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pytest

from nnviz import cli, jobs
from nnviz.document import edits
from nnviz.document.run_branches import Branch
from nnviz.document.run_log import same_run
from nnviz.document.store import files, saved_run
from nnviz.document.store.saved_run import SavedBranch, SavedRun
from nnviz.engine.run.timeline import Timeline
from nnviz.engine.run.trainer import digest
from tests.engine.experiments import HERE, experiment
from tests.engine.test_timeline import CHANGES

START = experiment(batch_size=16)


@pytest.fixture
def saved(tmp_path):
    """A document with two branches, and the digests at which they were left."""
    timeline = Timeline(START, HERE)
    timeline.go_to(60)
    main = timeline.log, timeline.iteration, digest(timeline.trainer.net)
    timeline.go_to(25)
    timeline.edit(edits.choose_optimizer(START, "rmsprop"))
    timeline.go_to(40)
    path = tmp_path / "branches.nnviz"
    beside = (SavedBranch(Branch("main", 0, main[0], main[1])),)
    run = SavedRun(timeline.iteration, None, timeline.log, "faster", 1, beside)
    files.save(path, timeline.document, extras={saved_run.PART: saved_run.encode(run)})
    return path, {"main": main[2], "faster": digest(timeline.trainer.net)}


def run(capsys, *words: str) -> dict:
    assert cli.main(["run", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_branch_comes_to_the_same_bits_twice(saved, capsys):
    path, digests = saved
    for name, expected in 2 * list(digests.items()):
        found = run(capsys, str(path), "--branch", name)
        assert (found["digest"], found["iterations"]) == (expected, {"main": 60, "faster": 40}[name])


def test_a_branch_can_be_made_further(saved, capsys):
    path, digests = saved
    assert run(capsys, str(path), "--branch", "faster", "--iterations", "41")["digest"] != digests["faster"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--branch", "other"), "There is no branch 'other' in {path}. There is: faster, main."),
        (("--branch", "main", "--seed", "3"), "--branch makes a run again as it was: leave out --set, --seed, --precision and --weights."),
    ],
)
def test_what_cannot_be_is_said(saved, capsys, words, sentence):
    path, _ = saved
    assert cli.main(["run", str(path), *words]) == 1
    assert capsys.readouterr().err.strip() == sentence.format(path=path)


def test_a_document_without_a_run_has_no_branch(tmp_path, capsys):
    path = tmp_path / "plain.nnviz"
    files.save(path, START)
    assert cli.main(["run", str(path), "--branch", "main"]) == 1
    assert "was saved without a run" in capsys.readouterr().err


def changed(chance: random.Random, timeline: Timeline) -> bool:
    """Make one of many kinds of changes where the run stands."""
    document = CHANGES[chance.choice(sorted(CHANGES))](timeline.document)
    if not same_run(document, timeline.document):
        timeline.edit(document)
        return True
    return False


def test_fifty_changes_and_five_branches_are_saved_and_made_again(tmp_path, capsys):
    """Changes of every kind at random iterations, then branches at random places, some at one checkpoint: saved, opened and made again,
    each comes to the same digest, twice; and so they do where one is made out of what is known of another, as the window does."""
    chance = random.Random(7)
    timeline, places = Timeline(START, HERE), sorted(chance.randrange(120) for _ in range(50))
    made = 0
    for place in places:
        timeline.go_to(place)
        while not changed(chance, timeline):
            pass
        made += 1
    timeline.go_to(120)
    assert made == 50
    kept = {"main": (timeline.log, 120, digest(timeline.trainer.net))}
    for number, place in enumerate((50, 50, 100, chance.randrange(10, 110), chance.randrange(10, 110)), 2):
        branch = timeline.branch(kept["main"][0])
        branch.go_to(place)
        branch.edit(edits.change_optimizer(branch.trainer.experiment, learning_rate=0.02 + number / 100))
        branch.go_to(place + 30)
        kept[f"branch {number}"] = branch.log, branch.iteration, digest(branch.trainer.net)
    beside = tuple(SavedBranch(Branch(name, 0, log, reached)) for name, (log, reached, _) in kept.items() if name != "main")
    path = tmp_path / "many.nnviz"
    files.save(path, kept["main"][0].last, extras={saved_run.PART: saved_run.encode(SavedRun(120, None, kept["main"][0], branches=beside))})
    for name, (_, reached, expected) in 2 * list(kept.items()):
        found = run(capsys, str(path), "--branch", name)
        assert (found["digest"], found["iterations"]) == (expected, reached), name
    opened = jobs.open_branch(str(path), "main")
    present = Timeline(opened.log, opened.folder)
    for name in chance.sample([*kept, *kept], 2 * len(kept)):
        present = present.branch(jobs.open_branch(str(path), name).log)
        present.go_to(kept[name][1])
        assert digest(present.trainer.net) == kept[name][2], name


def test_a_branch_is_written_as_a_program(saved, tmp_path):
    path, digests = saved
    for name, expected in digests.items():
        program = tmp_path / f"{name}.py"
        assert cli.main(["export", str(path), "--to", str(program), "--branch", name]) == 0
        assert f'DIGEST = "{expected}"' in program.read_text(encoding="utf-8")
        done = subprocess.run([sys.executable, str(program)], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-300:] + done.stderr[-500:]
