"""Who may import whom: the contracts of pyproject.toml, kept by every test run."""

import subprocess
import sys
import tomllib
from pathlib import Path

TOP = Path(__file__).parents[2]
SOURCE = TOP / "src" / "lightwell"


def test_the_import_contracts_are_kept() -> None:
    """All of them, as `make check` runs them."""
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_loops_are_independent_of_each_other() -> None:
    """Each loop is in the contract that keeps them apart."""
    listed = {
        module
        for contract in tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
        if contract["type"] == "independence"
        for module in contract["modules"]
    }
    shared = {"__init__", "runner", "batches", "readings"}
    loops = {path.stem for path in (SOURCE / "loops").glob("*.py")} - shared

    assert {f"lightwell.loops.{loop}" for loop in loops} == listed


def test_what_decides_is_named_in_the_contract_of_pure_decisions() -> None:
    """The triggers of automations join the pure strata on the day they are written."""
    contracts = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    pure = next(contract for contract in contracts if contract["name"] == "Decisions are pure")
    triggers = SOURCE / "automations" / "triggers"

    exists = triggers.is_dir() or triggers.with_suffix(".py").exists()
    assert ("lightwell.automations.triggers" in pure["source_modules"]) == exists
