"""Transcripts in documents, run as they are written: ```console blocks with commands after `$ ` and what they print.

In what a command is expected to print, `…` inside a line is any text, and a line that is `…` alone any number of
lines; a last line of `…` is implied. Lines are compared without the spaces at their end.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile, takewhile
from pathlib import Path

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT = "$ "
_MORE = "> "
_ANYTHING = "…"
_SECONDS = 60.0


@dataclass(frozen=True)
class Command:
    """A command as it is written, and the lines that it is said to print."""

    text: str
    expected: Sequence[str]


def section(document: str, heading: str) -> str:
    """The text below a heading, up to the next one of its level or above it; raises ValueError where there is none."""
    level = heading.partition(" ")[0]
    ends = tuple(f"{level[:depth]} " for depth in range(1, len(level) + 1))
    lines = dropwhile(lambda line: line.rstrip() != heading, document.splitlines(keepends=True))
    if next(lines, None) is None:
        raise ValueError(f"the document has no {heading!r}")
    return "".join(takewhile(lambda line: not line.startswith(ends), lines))


def commands(text: str) -> Iterator[Command]:
    """The commands of the console blocks of a text, in order."""
    for block in _BLOCK.findall(text):
        present: str | None = None
        expected: list[str] = []
        for line in block.splitlines():
            if line.startswith(_PROMPT):
                if present is not None:
                    yield Command(present, expected)
                present, expected = line.removeprefix(_PROMPT), []
            elif line.startswith(_MORE) and not expected:
                present = f"{present}\n{line.removeprefix(_MORE)}"
            else:
                expected.append(line)
        if present is not None:
            yield Command(present, expected)


def run(text: str, environment: Mapping[str, str], directory: Path) -> str:
    """What a shell prints for a command, both streams in one."""
    shell = ["bash", "-c", text]
    ended = subprocess.run(
        shell,
        env=dict(environment),
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        timeout=_SECONDS,
        check=False,
    )
    return ended.stdout.decode()


def prints(command: Command, output: str) -> bool:
    """Whether that is what the command is said to print."""
    return (
        _pattern(command.expected).fullmatch("".join(f"{line.rstrip()}\n" for line in output.splitlines())) is not None
    )


def _pattern(expected: Sequence[str]) -> re.Pattern[str]:
    parts = [
        r"(?:.*\n)*?"
        if line.strip() == _ANYTHING
        else ".*?".join(re.escape(part) for part in line.rstrip().split(_ANYTHING)) + r"\n"
        for line in expected
    ]
    return re.compile("".join(parts) + r"(?:.*\n)*")
