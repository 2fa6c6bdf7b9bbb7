"""The runner of transcripts itself: it must be able to say no."""

from pathlib import Path

import pytest

from tests.documents.transcripts import Command, commands, prints, run, section

DOCUMENT = """# Top
## One
```console
$ echo first
first
$ printf 'a\\nb\\nc\\n' |
> cat
a
…
c
```
### Below
```sh
$ echo not a transcript
```
## Two
```console
$ echo other
```
"""


def test_commands_of_a_section() -> None:
    """Only blocks of the section, only transcripts, in order."""
    assert list(commands(section(DOCUMENT, "## One"))) == [
        Command("echo first", ["first"]),
        Command("printf 'a\\nb\\nc\\n' |\ncat", ["a", "…", "c"]),
    ]
    assert "echo not a transcript" in section(DOCUMENT, "## One")
    with pytest.raises(ValueError, match="no '## Three'"):
        section(DOCUMENT, "## Three")


@pytest.mark.parametrize(
    ("expected", "is_right"),
    [
        (["one 1", "two", "three"], True),
        (["one …", "two"], True),
        (["…", "three"], True),
        (["one 2"], False),
        (["two"], False),
        (["one 1", "three"], False),
        (["…", "four"], False),
        (["one 1", "two", "three", "four"], False),
    ],
)
def test_what_is_printed_is_compared(tmp_path: Path, expected: list[str], *, is_right: bool) -> None:
    """Lines in order, from the first one; gaps only where they are marked."""
    output = run("echo 'one 1  '; echo two; echo three >&2", {}, tmp_path)

    assert prints(Command("", expected), output) is is_right
