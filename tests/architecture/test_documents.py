"""The documents hold what they say: what is made is up to date, what is linked exists, what is to be typed works."""

import re
import subprocess
from pathlib import Path

import pytest

from docs.generate import DOCUMENTS, outdated
from lightwell.cli.commands import COMMANDS
from lightwell.settings import Settings
from lightwell.settings.names import Name, names_in

TOP = Path(__file__).parents[2]
PAGES = sorted(path for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md") for path in TOP.glob(pattern))
STRATA = sorted(path.name for path in (TOP / "src" / "lightwell").iterdir() if path.is_dir() and path.name[0] != "_")
READERS = [
    path.read_text()
    for folder in ("server", "cli", "loops")
    for path in sorted((TOP / "src" / "lightwell" / folder).rglob("*.py"))
]


def name_of(path: Path) -> str:
    """A page's path inside the project."""
    return path.relative_to(TOP).as_posix()


def test_what_is_made_from_the_code_is_up_to_date() -> None:
    """`make docs` would write nothing."""
    assert not [path.name for path in outdated()]


def test_every_made_document_exists() -> None:
    """A document that is listed and lost would be made anew, without its hand-written part."""
    assert all((TOP / "docs" / name).exists() for name in DOCUMENTS)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of the project finds it."""
    targets = re.findall(r"\]\(\s*([^)#\s]+)(?:#[^)]*)?\)", page.read_text())

    assert not [t for t in targets if not re.match(r"[a-z]+:", t) and not (page.parent / t).exists()]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_exist(page: Path) -> None:
    """Every `make` and `lightwell` command that a page shows can be typed."""
    text = page.read_text()
    shown = "\n".join([*re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL), *re.findall(r"`([^`\n]+)`", text)])
    targets = set(re.findall(r"(?:^|\s)make ([a-z]+)", shown, re.MULTILINE))
    commands = set(re.findall(r"(?:^|\s)lightwell ([a-z]+)", shown, re.MULTILINE))
    makefile = (TOP / "Makefile").read_text()

    assert not [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)]
    assert commands <= set(COMMANDS)


def test_settings_in_documents_exist() -> None:
    """A variable that a page names is a setting."""
    known = {name.variable for name in names_in(Settings)}
    named = {variable for page in PAGES for variable in re.findall(r"\bLIGHTWELL_[A-Z_]+[A-Z]\b", page.read_text())}

    assert not named - known


def test_the_architecture_is_short_and_names_every_stratum() -> None:
    """Two hundred lines at most, and no folder without a place in it."""
    text = (TOP / "ARCHITECTURE.md").read_text()

    assert text.count("\n") <= 200
    assert not [stratum for stratum in STRATA if f"`{stratum}/`" not in text]


def test_every_make_target_explains_itself() -> None:
    """`make help` lists all that can be asked for."""
    makefile = (TOP / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    listed = subprocess.run(["make", "help"], cwd=TOP, capture_output=True, text=True, check=True).stdout

    assert not [target for target in phony[1].split() if f"make {target} " not in listed]


@pytest.mark.parametrize("name", list(names_in(Settings)), ids=lambda name: name.variable)
def test_every_setting_is_used(name: Name) -> None:
    """A setting that nothing reads is a promise that is not kept."""
    *section, attribute = name.path
    used = [text for text in READERS if re.search(rf"\.{attribute}\b", text)]

    assert used
    assert not section or [text for text in READERS if re.search(rf"\b{section[-1]}\b", text)]
