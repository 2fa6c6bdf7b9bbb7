"""`python -m tools.dashboards.generate`: writes `dashboards/`, or with `--check` says what is out of date."""

import sys
from pathlib import Path
from typing import Final

from tools.dashboards.grafana import render
from tools.dashboards.pages import PAGES
from tools.dashboards.rules import rules

FOLDER: Final = Path(__file__).parents[2] / "dashboards"


def files() -> dict[str, str]:
    """Every generated file by its name, with its text."""
    return {f"{page.uid}.json": render(page) for page in PAGES} | {"alerts.yaml": rules()}


def outdated() -> dict[Path, str | None]:
    """Files that are not what the code says, with the text that they should have; None for those that no code makes."""
    made = files()
    present = {path.name: path for pattern in ("*.json", "*.yaml") for path in FOLDER.glob(pattern)}
    wrong: dict[Path, str | None] = {path: None for name, path in present.items() if name not in made}
    for name, text in made.items():
        if name not in present or present[name].read_text() != text:
            wrong[FOLDER / name] = text
    return wrong


def main() -> None:
    """Write what is outdated, or with `--check` name it and fail."""
    check = "--check" in sys.argv[1:]
    wrong = outdated()
    FOLDER.mkdir(exist_ok=True)
    for path, text in wrong.items():
        if not check and text is None:
            path.unlink()
        elif not check and text is not None:
            path.write_text(text)
        print(f"dashboards/{path.name} {'is not what the code says: run `make dashboards`' if check else 'written'}")
    sys.exit(1 if check and wrong else 0)


if __name__ == "__main__":
    main()
