"""Writes the documents that are made from the code: `python -m docs.generate`; with `--check` it only compares."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from docs.protocol import with_operations
from docs.settings import with_settings
from docs.telemetry import whole

FOLDER: Final = Path(__file__).parent

DOCUMENTS: Final[Mapping[str, Callable[[str], str]]] = {
    "operating.md": with_settings,
    "protocol.md": with_operations,
    "telemetry.md": whole,
}
"""Each document by its name, and what makes its new text from the old one."""


def outdated() -> dict[Path, str]:
    """The documents whose text is not what the code says, with the text that they should have."""
    old = {name: path.read_text() if (path := FOLDER / name).exists() else "" for name in DOCUMENTS}
    new = {name: make(old[name]) for name, make in DOCUMENTS.items()}
    return {FOLDER / name: new[name] for name in DOCUMENTS if new[name] != old[name]}


def main() -> None:
    """Write what is outdated, or with `--check` name it and fail."""
    documents = outdated()
    check = "--check" in sys.argv[1:]
    for path, text in documents.items():
        if not check:
            path.write_text(text)
        print(f"docs/{path.name} {'is not what the code says: run `make docs`' if check else 'written'}")
    sys.exit(1 if check and documents else 0)


if __name__ == "__main__":
    main()
