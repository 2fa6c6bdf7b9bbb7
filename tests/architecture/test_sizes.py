"""Sizes, names and habits: what a reader may count on in every module."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
SOURCE = sorted((TOP / "src").rglob("*.py"))
TESTS = sorted((TOP / "tests").rglob("*.py"))
OTHERS = [path for folder in ("benchmarks", "docs", "tools") for path in sorted((TOP / folder).rglob("*.py"))]
EVERYTHING = [*SOURCE, *TESTS, *OTHERS]

LONGEST_MODULE = 500
LONGEST_FUNCTION = 60
SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "core"}
UNFINISHED = re.compile(r"\bTODO\b|\bFIXME\b|\bXXX\b|NotImplementedError")
SKIPS_OR_SLEEPS = re.compile(r"pytest\.(mark\.)?(skip|xfail)|@(skip|xfail)\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    """Every function of a module, methods and inner ones too."""
    tree = ast.parse(path.read_text())
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def name_of(path: Path) -> str:
    """A module's path inside the project."""
    return path.relative_to(TOP).as_posix()


def test_no_module_is_too_long() -> None:
    """A module past 500 lines wants splitting by verb or family."""
    long = {name_of(path): lines for path in EVERYTHING if (lines := path.read_text().count("\n")) > LONGEST_MODULE}

    assert not long


def test_no_function_is_too_long() -> None:
    """A function past 60 lines does several things."""
    long = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in SOURCE
        for node in functions(path)
        if (node.end_lineno or node.lineno) - node.lineno + 1 > LONGEST_FUNCTION
    ]

    assert not long


def test_imports_stand_at_the_top() -> None:
    """An import inside a function hides a dependency, most often a cycle."""
    inside = [
        f"{name_of(path)}:{inner.lineno}"
        for path in SOURCE
        for node in functions(path)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]

    assert not inside


def test_names_say_something() -> None:
    """No module is called after not knowing where to put things."""
    assert not [name_of(path) for path in EVERYTHING if path.stem in SAY_NOTHING or path.parent.name in SAY_NOTHING]


def test_every_module_says_what_it_is_for() -> None:
    """In the first sentence of its docstring, on one line."""
    silent = [
        name_of(path)
        for path in EVERYTHING
        if path.stat().st_size and not (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]
    ]

    assert not silent


def test_nothing_is_left_unfinished() -> None:
    """What is not done is an issue, not a comment."""
    left = [
        f"{name_of(path)}:{number}"
        for path in EVERYTHING
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if UNFINISHED.search(line)
    ]

    assert not left


def test_no_test_is_skipped() -> None:
    """A test that does not run says nothing, and looks as if it did."""
    skipped = [
        f"{name_of(path)}:{number}"
        for path in TESTS
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if SKIPS_OR_SLEEPS.search(line)
    ]

    assert not skipped


def test_every_test_says_what_holds() -> None:
    """Its docstring is the sentence that is no longer true when it fails."""
    silent = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in TESTS
        for node in functions(path)
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]

    assert not silent


@pytest.mark.parametrize("path", SOURCE, ids=name_of)
def test_only_edges_are_asynchronous(path: Path) -> None:
    """Below the edges there is no async function; the two doors of storage and telemetry's middleware are edges."""
    stratum = path.relative_to(TOP / "src" / "lightwell").parts[0]
    if stratum in {"operations", "orchestration", "contract", "settings", "errors.py"}:
        assert not [node.name for node in functions(path) if isinstance(node, ast.AsyncFunctionDef)]
