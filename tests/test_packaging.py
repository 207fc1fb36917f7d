"""The program finds its code and its files in a checkout, after `pip install .` and after `pip install -e .`. Needs no network."""

from __future__ import annotations

import ast
import configparser
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOT_SHIPPED = {"pictures", "__pycache__"}

REPORT = """
import json, sys, site
site.addsitedir(sys.argv[1])
sys.path.append(sys.argv[2])
import importlib.metadata, nnviz, nnviz.resources
from nnviz.document.store.examples import example_names, open_document
from nnviz.resource_files import resource_folder
points = [point for group in ("console_scripts", "gui_scripts") for point in importlib.metadata.entry_points(group=group)]
print(json.dumps({
    "code": nnviz.__file__,
    "examples": example_names(),
    "first": open_document("example:" + example_names()[0]).title,
    "fonts": sorted(path.name for path in resource_folder("fonts").iterdir()),
    "resources": nnviz.resources.__file__,
    "scripts": {point.name: point.value for point in points if point.name.startswith("nnviz")},
}))
"""


def report(site_folder: Path, cwd: Path) -> dict:
    """What a fresh Python says that sees only this folder and the libraries, not an nnviz installed among them (hence -S)."""
    command = [sys.executable, "-S", "-c", REPORT, str(site_folder), sysconfig.get_path("purelib")]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of the sources, so that building leaves nothing behind in the real ones."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("nnviz", "resources"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def build(kind: str, checkout: Path, folder: Path) -> Path:
    """Return the wheel that pip would install: kind is wheel or editable."""
    code = f"import sys, setuptools.build_meta as backend; backend.build_{kind}(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Deprecat" not in done.stderr, done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder), str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(checkout, tmp_path_factory) -> Path:
    return build("wheel", checkout, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    return install(wheel, tmp_path_factory.mktemp("installed"))


def shipped_files() -> set[str]:
    files = [path.relative_to(ROOT / "resources") for path in (ROOT / "resources").rglob("*") if path.is_file()]
    return {path.as_posix() for path in files if not NOT_SHIPPED & set(path.parts)}


def test_every_folder_with_code_is_named_in_the_setup():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    named = set(setup["options"]["packages"].split())
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "nnviz").rglob("*.py")}
    assert named == {".".join(folder.parts) for folder in folders} | {"nnviz.resources"}


def test_the_wheel_holds_all_code_and_all_files(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    code = {path.relative_to(ROOT).as_posix() for path in (ROOT / "nnviz").rglob("*.py")}
    assert code <= held
    assert {name.removeprefix("nnviz/resources/") for name in held if name.startswith("nnviz/resources/")} == shipped_files()
    assert {name.split("/")[0] for name in held if ".dist-info/" not in name} == {"nnviz"}


def test_an_installed_copy_finds_its_files(installed, tmp_path):
    said = report(installed, cwd=tmp_path)
    assert said["code"].startswith(str(installed))
    assert said["resources"].startswith(str(installed))
    assert said["examples"] == sorted(path.stem for path in (ROOT / "resources/examples").glob("*.json"))
    assert "Inter-Regular.otf" in said["fonts"]
    assert said["scripts"] == {"nnviz": "nnviz.__main__:main", "nnviz-gui": "nnviz.__main__:main"}


START = """
import sys, site
site.addsitedir(sys.argv.pop(1))
sys.path.append(sys.argv.pop(1))
from nnviz.__main__ import main
sys.exit(main())
"""


def test_the_commands_start(installed, tmp_path):
    """As the installed scripts do it: import the entry point and call it."""
    command = [sys.executable, "-S", "-c", START, str(installed), sysconfig.get_path("purelib"), "examples"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "moons" in done.stdout


def test_an_editable_install_uses_the_checkout(checkout, tmp_path):
    folder = install(build("editable", checkout, tmp_path), tmp_path / "site")
    said = report(folder, cwd=tmp_path)
    assert said["code"] == str(checkout / "nnviz" / "__init__.py")
    assert said["resources"] == str(checkout / "resources" / "__init__.py")
    assert "moons" in said["examples"]


def test_a_checkout_runs_without_any_installation(tmp_path):
    """`python main.py`: Python puts the folder of main.py first, so an installed nnviz does not count."""
    done = subprocess.run([sys.executable, str(ROOT / "main.py"), "examples"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "moons" in done.stdout


def test_every_library_that_is_imported_is_required():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = [line for name, lines in setup["options.extras_require"].items() if name != "test" for line in lines.split()]
    required = {re.split("[<>=]", line)[0].lower() for line in [*setup["options"]["install_requires"].split(), *extras]}
    nodes = [node for path in (ROOT / "nnviz").rglob("*.py") for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules = plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0}
    libraries = {name.split(".")[0] for name in modules} - set(sys.stdlib_module_names) - {"nnviz"}
    brought_by = importlib.metadata.packages_distributions()
    missing = [name for name in libraries if not {part.lower().replace("_", "-") for part in brought_by[name]} & required]
    assert libraries
    assert not missing


def test_the_constraints_agree_with_the_setup():
    """Every library is pinned once, exactly, to a version the setup allows."""
    from packaging.requirements import Requirement

    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = "\n".join(setup["options.extras_require"].values())
    wanted = [Requirement(line) for line in (setup["options"]["install_requires"] + extras).splitlines() if line]
    lines = [line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    pins = {name.lower(): version for name, version in (line.split("==") for line in lines)}
    assert len(pins) == len(lines)
    for requirement in wanted:
        if requirement.name == "nnviz":  # all that is optional is installed for the tests
            assert requirement.extras == setup["options.extras_require"].keys() - {"test"}
            continue
        assert pins[requirement.name.lower()] in requirement.specifier, str(requirement)


def test_the_first_paint_of_the_window_waits_for_no_numbers():
    numbers = "{'numpy', 'msgspec', 'torch'}"
    code = f"import sys, nnviz.cli; from nnviz.ui.shell import app; sys.exit(' '.join({numbers} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | {"QT_QPA_PLATFORM": "offscreen"})
    assert done.returncode == 0, done.stderr


HEAVY = {"sklearn", "scipy", "sympy", "torch._dynamo", "PySide6", "pyqtgraph", "networkx"}
"""A run of two moons that loaded one of them would begin noticeably later."""


def test_a_short_run_loads_nothing_that_it_does_not_need():
    code = "import sys; from nnviz.__main__ import main; assert main() == 0; print(*sys.modules)"
    command = [sys.executable, "-c", code, "run", "example:moons", "--iterations", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "torch" in loaded and not loaded & HEAVY
