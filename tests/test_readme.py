"""What README.md says is true: its Python runs, the files it names exist, its commands are there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_example_runs(tmp_path):
    code, *_ = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert {line.split()[0] for line in lines if line.startswith(("forward", "loss", "backward"))} == {"forward", "loss", "backward"}
    assert float(lines[-1]) <= 1e-5


def test_the_watched_loop_prints_what_it_says(tmp_path):
    code = next(code for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "nnviz.watch" in code)
    said, *_ = re.findall(r"```text\n(nnviz: the loop halts.*?)```", README, re.DOTALL)
    environment = {"PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout == said, done.stderr


def test_the_calls_it_prints_are_the_calls():
    excerpt, *_ = re.findall(r"```text\n(The \d+ calls.*?)```", README, re.DOTALL)
    command = [sys.executable, "-m", "nnviz", "run", "example:moons", "--calls"]
    said = iter(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines())
    for line in excerpt.splitlines():
        assert line == "…" or line in said, f"{line}: not there, or not in this order"


def test_the_program_it_shows_is_the_one_that_is_written(tmp_path):
    (words, excerpt), *_ = re.findall(r"```sh\nnnviz (export .*?)\n```\n\n```py\n(.*?)```", README, re.DOTALL)
    subprocess.run([sys.executable, "-m", "nnviz", *words.replace("mlp.py", str(tmp_path / "mlp.py")).split()], cwd=ROOT, check=True)
    text = (tmp_path / "mlp.py").read_text(encoding="utf-8")
    assert all(part in text for part in excerpt.split("…\n"))


@pytest.mark.parametrize("path", sorted(set(re.findall(r"(?:nnviz|resources|tests)/[\w./]*[\w/]", README))))
def test_every_file_it_names_exists(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize(("path", "table"), re.findall(r"`(nnviz/[\w/]+\.py)` \((?:a row of )?`(\w+)`", README))
def test_every_table_it_names_is_in_that_file(path, table):
    assert re.search(rf"^(?:{table}\b.* = |def {table}\()", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(("command", "usage"), re.findall(r"^\| `nnviz (\w+) ?(.*?)` \|", README, re.MULTILINE))
def test_every_command_and_option_of_its_table_is_there(command, usage):
    done = subprocess.run([sys.executable, "-m", "nnviz", command, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"--\w+", usage)) <= set(re.findall(r"--\w+", done.stdout))
