"""What is imported is declared, and what is pinned can be installed from anywhere."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

TOP = Path(__file__).parents[2]
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
PARTS_OF = {"pydantic-core": "pydantic", "opentelemetry-api": "opentelemetry-sdk"}
"""Distributions that another one brings in exactly the version that it needs."""


def imported_by(folder: Path) -> Iterator[str]:
    """The top names of all absolute imports below a folder."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def declared(requirements: list[str]) -> set[str]:
    """The distributions that requirements name."""
    return {re.split(r"[\[<>=;~! ]", requirement, maxsplit=1)[0].lower() for requirement in requirements}


def missing(folder: str, requirements: list[str]) -> set[str]:
    """Modules of other people that are imported and that no requirement brings by itself."""
    own = {"lightwell", "tests", "benchmarks", "docs", "tools"}
    names = declared(requirements)
    distributions = packages_distributions()
    foreign = {name for name in imported_by(TOP / folder) if name not in sys.stdlib_module_names and name not in own}
    return {name for name in foreign if not {normal(d) for d in distributions.get(name, [name])} & names}


def normal(distribution: str) -> str:
    """A distribution's name as requirements write it; a part's is that of its whole."""
    name = distribution.lower().replace("_", "-")
    return PARTS_OF.get(name, name)


def test_what_the_server_imports_is_declared() -> None:
    """Nothing is used that is only there because something else needs it today."""
    assert not missing("src", PROJECT["dependencies"])


def test_what_the_tests_import_is_declared() -> None:
    """Tests and benchmarks may use what the server has, and the dev extra."""
    requirements = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]

    assert not {name for folder in ("tests", "benchmarks", "docs") for name in missing(folder, requirements)}


def test_pins_name_versions_alone() -> None:
    """No address of an index, no path of a machine: whoever installs chooses where from."""
    lines = [line for line in (TOP / "constraints.txt").read_text().splitlines() if not line.startswith("#")]

    assert lines
    assert not [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+", line)]


def test_every_requirement_is_pinned() -> None:
    """An environment made tomorrow is the one that was tested today."""
    text = (TOP / "constraints.txt").read_text().lower().replace("_", "-")
    pinned = {line.partition("==")[0] for line in text.splitlines()}
    requirements = declared([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]])

    assert not requirements - pinned
