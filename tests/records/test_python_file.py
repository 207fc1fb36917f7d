"""A person's Python file is read, never run: what may make a module, and what is said where nothing or too much may."""

import pytest

from nnviz.records.python_file import PythonFileError, named_maker, read_python_file

NET = """
import torch
from torch import nn
from elsewhere import imported
open({marker!r}, "w").close()

class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()

class Deeper(Net):
    pass

class Wide(nn.Module):
    def __init__(self, width):
        super().__init__()

class Own(nn.Linear):
    pass

class NoModule:
    pass

def make(width=3, *, depth=2):
    return Net(width)

def needs(width):
    return Net(width)

def make_inputs():
    return torch.rand(2, 3)

def train():
    for _ in range(3):
        print("on")

def batches():
    yield 1
    return 2

def _private():
    return Net()

partial = lambda: Net()
"""


@pytest.fixture
def written(tmp_path):
    def write(text, name="model.py"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_makers_are_found_without_running_the_file(written, tmp_path):
    marker = tmp_path / "it ran"
    file = read_python_file(written(NET.format(marker=str(marker))))
    assert set(file.makers) == {"Net", "Deeper", "make"} and set(file.needy) == {"Wide", "Own", "needs"}
    assert file.makers["Net"] == 7
    assert not marker.exists()
    assert file.maker("make") == "make" and file.maker("partial") == "partial" and file.maker("imported") == "imported"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", r"3 functions that may make a module(.|\n)*nnviz \S*model\.py:make"),
        ("needs", r"model\.py:27: needs needs arguments"),
        ("mak", "no mak"),
    ],
)
def test_what_names_no_maker_is_told_the_commands(written, name, said):
    file = read_python_file(written(NET.format(marker="never")))
    with pytest.raises(PythonFileError, match=said):
        file.maker(name)


def test_a_file_without_makers_says_what_is_expected(written):
    with pytest.raises(PythonFileError, match="def make_model"):
        read_python_file(written("x = 1\n")).maker()


@pytest.mark.parametrize(("text", "said"), [("def f(:\n", r"model\.py:1: this is no Python"), ("\0", "no Python")])
def test_what_is_no_python_is_refused(written, text, said):
    with pytest.raises(PythonFileError, match=said):
        read_python_file(written(text))
    with pytest.raises(PythonFileError, match="No such file"):
        read_python_file(written(text).with_name("none.py"))


def test_one_maker_is_taken_and_the_digest_is_that_of_the_content(written):
    first = read_python_file(written("def make():\n    return 1\n"))
    assert first.maker() == "make"
    assert first.digest == read_python_file(written("def make():\n    return 1\n", "other.py")).digest
    assert first.digest != read_python_file(written("def make():\n    return 2\n")).digest


# --- what it imports from its folder ---

FOLDER = {
    "model.py": "import torch, os.path\nimport layers\nfrom pack import part\ndef make():\n    from deep.inner import leaf\n    return 1\n",
    "layers.py": "import model\nimport importlib\nimportlib.import_module('by_name')\nimportlib.import_module('by_' + 'sum')\n",
    "by_name.py": "x = 1\n",
    "by_sum.py": "x = 1\n",
    "pack/__init__.py": "from .stars import *\nfrom ..above import x\n",
    "pack/part.py": "from . import sibling\n",
    "pack/sibling.py": "not Python at all (\n",
    "pack/stranger.py": "x = 1\n",
    "pack/stars/__init__.py": "__all__ = ['star']\n",
    "pack/stars/star.py": "x = 1\n",
    "deep/inner/leaf.py": "from ..side import y\n",
    "deep/side.py": "y = 1\n",
    "unused.py": "x = 1\n",
    "native.cpython-39-x86_64-linux-gnu.so": "of another Python",
}
IMPORTED = {
    "layers.py", "by_name.py", "pack/__init__.py", "pack/part.py", "pack/sibling.py", "pack/stars/__init__.py", "pack/stars/star.py",
    "deep/inner/leaf.py", "deep/side.py",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    for name, text in FOLDER.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_what_it_imports_from_its_folder_is_found_by_reading(folder):
    file = read_python_file(folder / "model.py")
    assert {path.relative_to(folder).as_posix() for path in file.imported} == IMPORTED
    assert "by_name.py, deep/inner/leaf.py" in file.told_imports and file.told_imports.endswith("and 1 more.")
    assert read_python_file(folder / "unused.py").told_imports == ""


@pytest.mark.parametrize("name", sorted(FOLDER))
def test_the_digest_is_another_once_something_that_it_imports_changes(folder, name):
    before = read_python_file(folder / "model.py").digest
    (folder / name).write_text(FOLDER[name] + "# more\n")
    assert (read_python_file(folder / "model.py").digest != before) == (name in IMPORTED | {"model.py"})
    (folder / name).write_text(FOLDER[name])
    assert read_python_file(folder / "model.py").digest == before


def test_a_module_that_takes_the_place_of_another_changes_the_digest(folder):
    before = read_python_file(folder / "model.py").digest
    (folder / "layers").mkdir()
    (folder / "layers" / "__init__.py").write_text(FOLDER["layers.py"])  # a package goes before a file of its name
    assert read_python_file(folder / "model.py").digest != before
    (folder / "layers" / "__init__.py").unlink()
    (folder / "torch.py").write_text("x = 1\n")
    assert folder / "torch.py" in read_python_file(folder / "model.py").imported


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("model.py:make", ("model.py", "make")),
        ("a/model.PY", ("a/model.PY", "")),
        ("C:\\a b\\model.py:make", ("C:\\a b\\model.py", "make")),
        ("moons.nnviz", None),
        ("example:moons", None),
        ("", None),
    ],
)
def test_a_maker_is_named_behind_a_colon(text, named):
    assert named_maker(text) == named
