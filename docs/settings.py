"""The table of settings in operating.md."""

import inspect
from itertools import groupby

from pydantic import BaseModel

from docs.sections import replace_between
from lightwell.settings import Settings
from lightwell.settings.names import Name, names_in, write

_ELSEWHERE = {
    ("database", "url"): "a file in the home directory",
    ("telemetry", "store", "path"): "a file beside the data",
}
_TITLES: dict[tuple[str, ...], str] = {(): "Files", ("api",): "API", ("ui",): "Pages", ("listen",): "Listening"}


def with_settings(text: str) -> str:
    """The document, with the settings of this version."""
    names = list(names_in(Settings))
    parts = [_section(path, list(group)) for path, group in groupby(names, key=lambda name: name.path[:-1])]
    return replace_between(text, "settings", "\n".join(parts))


def _section(path: tuple[str, ...], names: list[Name]) -> str:
    title = _TITLES.get(path) or " / ".join(path).replace("_", " ").capitalize()
    purpose = inspect.getdoc(_model(path)) if path else "Where the server keeps what it keeps in files."
    rows = [f"| {' | '.join(map(_cell, _columns(name)))} |" for name in names]
    head = "| variable | default | may be | meaning |\n|---|---|---|---|"
    return f"### {title}\n{purpose}\n\n{head}\n" + "\n".join(rows) + "\n"


def _model(path: tuple[str, ...]) -> type[BaseModel]:
    model: type[BaseModel] = Settings
    for part in path:
        inner = model.model_fields[part].annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            message = f"{path} is no section"
            raise TypeError(message)
        model = inner
    return model


def _columns(name: Name) -> tuple[str, ...]:
    return f"`{name.variable}`", _default(name), _range(name), _meaning(name)


def _default(name: Name) -> str:
    default = name.field.default
    if name.path in _ELSEWHERE:
        return _ELSEWHERE[name.path]
    return f"`{write(default)}`" if default not in (None, ()) else "none"


def _range(name: Name) -> str:
    return " ".join(part for part in (name.bounds, name.unit) if part)


def _meaning(name: Name) -> str:
    also = f" Also read from {', '.join(f'`{alias}`' for alias in name.aliases)}." if name.aliases else ""
    return f"{name.field.description}{also}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
