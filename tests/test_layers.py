"""Low modules never import high ones, middle ones never each other; the zoo is found, not imported."""

import ast
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[1] / "neuroanp"

LAYERS = (
    {"cells", "errors", "wiring"},
    {"engine", "passes"},
    {"checks", "filters", "forms", "options", "record", "schedule", "synapse", "trial_panels"},
    {"perturbation", "plant"},
    {"decorrelation", "model", "python_plant", "reward", "rules", "stages", "task"},
    {
        "baselines",
        "checkpoint",
        "config",
        "models",
        "monitor",
        "noises",
        "plant_task",
        "plotting",
        "progress",
        "registry",
        "state",
        "tested",
    },
    {"loop"},
    {"host_loop"},
    {"assembly", "doctor", "results", "tasks"},
    {"network", "onchip"},
    {"judgement", "recipes", "verify"},
    {"training"},
    {"bench", "reproduce", "sweep", "testing"},
    {"cli_options"},
    {"cli_bench", "cli_locality", "cli_reproduce", "cli_train", "cli_verify"},
    {"cli"},
    {"__init__", "__main__"},
)
HEIGHT = {unit: height for height, layer in enumerate(LAYERS) for unit in layer}
ONLY = {"engine": {"errors"}}
ZOO = {"models", "tasks"}
ZOO_USERS = {"recipes", "reproduce", "tasks", "testing", "__init__"}


class Import(NamedTuple):
    importer: str
    imported: str
    where: str

    @property
    def wrong(self):
        """Why this import may not be, or None."""
        if self.importer == self.imported:
            return None
        for unit in (self.importer, self.imported):
            if unit not in HEIGHT:
                return f"{self.where}: {unit} is not on the map of modules in {Path(__file__).name}"
        says = f"{self.where}: {self.importer} imports {self.imported}"
        if self.imported in ZOO and self.importer not in ZOO_USERS:
            return f"{says}: models and tasks are found through entry points"
        if self.importer in ONLY and self.imported not in ONLY[self.importer]:
            return f"{says}: it may import only {', '.join(ONLY[self.importer])}"
        if HEIGHT[self.imported] > HEIGHT[self.importer]:
            return f"{says}, which is above it"
        if HEIGHT[self.imported] == HEIGHT[self.importer]:
            return f"{says}, which is beside it"
        return None


def unit_of(module, names):
    """The modules of the map that ``from module import names`` reaches, `module` absolute."""
    parts = module.split(".")
    if parts[0] in ZOO:
        return {parts[0]}
    if parts[0] != "neuroanp":
        return set()
    if len(parts) > 1:
        return {parts[1]}
    units = {path.stem for path in PACKAGE.iterdir()} | set(HEIGHT)
    return {name if name in units else "__init__" for name in names} or {"__init__"}


def imports(path, text=None):
    """Every import of a file, wherever in it, as modules of the map."""
    inside = path.relative_to(PACKAGE)
    importer = inside.parts[0].removesuffix(".py")
    where = f"neuroanp/{inside.as_posix()}"
    package = ["neuroanp", *inside.parent.parts]
    for node in ast.walk(ast.parse(path.read_text() if text is None else text)):
        if isinstance(node, ast.Import):
            reached = set().union(*(unit_of(alias.name, ()) for alias in node.names))
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *(node.module.split(".") if node.module else [])])
            reached = unit_of(module, [alias.name for alias in node.names])
        else:
            continue
        for imported in sorted(reached):
            yield Import(importer, imported, f"{where}:{node.lineno}")


def sources():
    """The Python files of the package, through its links."""
    folders = [PACKAGE, *(path for path in PACKAGE.iterdir() if path.is_dir())]
    found = [path for folder in folders for path in folder.glob("*.py" if folder == PACKAGE else "**/*.py")]
    return sorted(found)


def test_every_module_is_looked_at():
    seen = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in sources()}
    assert {"engine", "rules", "models", "tasks", "training", "errors"} <= seen
    assert seen <= set(HEIGHT), f"not on the map: {seen - set(HEIGHT)}"


def test_imports_point_downwards():
    wrong = [reason for path in sources() for found in imports(path) if (reason := found.wrong)]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("errors.py", "import neuroanp.checks", "above it"),
        ("rules/node.py", "from ..network import Network", "above it"),
        ("rules/node.py", "def f():\n    from neuroanp import stages", "beside it"),
        ("rules/node.py", "if TYPE_CHECKING:\n    from neuroanp import train", "above it"),
        ("engine/build.py", "from neuroanp.checks import positive", "only errors"),
        ("training.py", "from neuroanp.tasks import Weather", "entry points"),
        ("training.py", "import tasks", "entry points"),
        ("models/tanh.py", "from .. import network", "above it"),
        ("newcomer.py", "import neuroanp.errors", "not on the map"),
    ],
)
def test_wrong_imports_are_seen(path, text, reason):
    assert [found for found in imports(PACKAGE / path, text) if reason in (found.wrong or "")]


def test_right_imports_are_let_through():
    text = "from neuroanp import checks\nfrom . import node\nfrom neuroanp.record import Record\nimport numpy"
    found = list(imports(PACKAGE / "rules" / "weight.py", text))
    assert {one.imported for one in found} == {"checks", "rules", "record"}
    assert not [one for one in found if one.wrong]
