"""The same imports work however the package was installed and wherever Python starts."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FOLDERS = ("", "models", "tasks", "engine")

LOOK = """
import json
import neuroanp.engine, neuroanp.models, neuroanp.tasks
from neuroanp.config.registry import find
modules = [neuroanp, neuroanp.models, neuroanp.tasks, neuroanp.engine]
print(json.dumps({
    "files": [module.__file__ for module in modules],
    "names": [module.__name__ for module in modules],
    "model": find("model", "tanh").__module__,
}))
"""

TYPED = """
from neuroanp.models import TanhRNN
from neuroanp.tasks import CopyingMemory

reveal_type(TanhRNN())
reveal_type(CopyingMemory().n_in)
"""


def command(*words, cwd, **variables):
    dropped = ("PYTHONPATH", "MYPYPATH", "PYTHONHOME")
    environment = {name: value for name, value in os.environ.items() if name not in dropped} | variables
    done = subprocess.run([str(w) for w in words], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shipped(folder):
    """Every file below a folder, through links, with its path below the folder's parent."""
    found = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if name != "__pycache__"]
        found |= {(Path(place) / name).relative_to(folder.parent).as_posix() for name in files}
    return found


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archives")
    command(sys.executable, "-m", "hatchling", "build", "-d", folder, cwd=ROOT)
    return {"wheel": next(folder.glob("*.whl")), "sdist": next(folder.glob("*.tar.gz"))}


@pytest.fixture(scope="module")
def installed(request, archives, tmp_path_factory):
    """A fresh environment with the package in it: how it was installed, its Python, its own packages."""
    how = request.param
    folder = tmp_path_factory.mktemp(how)
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    dependencies = dict.fromkeys(sysconfig.get_paths()[name] for name in ("purelib", "platlib"))
    source = ["-e", ROOT] if how == "editable" else [archives[how]]
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--ignore-installed"]
    alone = ["--no-deps", "--no-index", "--no-build-isolation"]
    command(*pip, *alone, *source, cwd=folder, PYTHONPATH=os.pathsep.join(dependencies))
    packages = next((folder / "venv" / "lib").glob("python*/site-packages"))
    assert not {"models", "tasks", "tests", "models.py", "tasks.py"} & {p.name for p in packages.iterdir()}
    # addsitedir, unlike a plain line with the path, also honours the .pth files there: setuptools' distutils
    lines = [f"import site; site.addsitedir({path!r})" for path in dependencies]
    (packages / "dependencies.pth").write_text("\n".join(lines))
    return how, python, packages


@pytest.mark.parametrize(
    ("installed", "start"),
    [
        ("wheel", "elsewhere"),
        pytest.param("wheel", "repository", marks=pytest.mark.slow),
        pytest.param("sdist", "elsewhere", marks=pytest.mark.slow),
        pytest.param("editable", "elsewhere", marks=pytest.mark.slow),
    ],
    indirect=["installed"],
)
def test_imports(installed, start, tmp_path):
    how, python, packages = installed
    seen = json.loads(command(python, "-c", LOOK, cwd=ROOT if start == "repository" else tmp_path))
    home = ROOT if how == "editable" or start == "repository" else packages
    assert seen["files"] == [str(home / "neuroanp" / folder / "__init__.py") for folder in FOLDERS]
    assert seen["names"] == ["neuroanp", "neuroanp.models", "neuroanp.tasks", "neuroanp.engine"]
    assert seen["model"] == "neuroanp.models.tanh"


@pytest.mark.slow
@pytest.mark.parametrize("installed", ["wheel"], indirect=True)
def test_types(installed, tmp_path):
    """A type checker run elsewhere, without our settings, sees the classes and their types."""
    (tmp_path / "user.py").write_text(TYPED)
    mypy = [sys.executable, "-m", "mypy", "--config-file=", "--ignore-missing-imports", "--cache-dir=cache"]
    out = command(*mypy, "--python-executable", installed[1], "user.py", cwd=tmp_path)
    assert 'Revealed type is "neuroanp.models.tanh.TanhRNN"' in out
    assert 'Revealed type is "int"' in out.replace("builtins.int", "int")


@pytest.mark.parametrize("installed", ["wheel"], indirect=True)
def test_shell_command(installed, tmp_path):
    assert "copying-memory" in command(installed[1].with_name("neuroanp"), "list", cwd=tmp_path)


def test_wheel_holds_the_package_and_nothing_else(archives):
    with zipfile.ZipFile(archives["wheel"]) as wheel:
        names = wheel.namelist()
    assert len(names) == len(set(names))
    package = {name for name in names if not name.split("/")[0].endswith(".dist-info")}
    assert package == shipped(ROOT / "neuroanp")
    assert {name for name in package if name.endswith((".cpp", ".hpp", ".py_"))}
    assert {"neuroanp/py.typed", "neuroanp/models/__init__.py", "neuroanp/tasks/__init__.py"} <= package


def test_sdist_holds_folders_where_the_tree_has_links(archives):
    with tarfile.open(archives["sdist"]) as sdist:
        members = {member.name.split("/", 1)[1]: member for member in sdist if "/" in member.name}
    assert all(member.isfile() for member in members.values())
    assert shipped(ROOT / "neuroanp") <= set(members)
    assert {"pyproject.toml", "LICENSE", "README.md", "CITATION.cff"} <= set(members)
