"""Documents that people write, with a part in them that is made."""


def replace_between(text: str, name: str, content: str) -> str:
    """Put content between the two comments of this name; raises ValueError where the document lacks them."""
    start, end = f"<!-- {name}: made by `make docs` -->\n", f"<!-- end of {name} -->"
    before, opened, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not opened or not closed:
        message = f"the document lacks the comments around {name}"
        raise ValueError(message)
    return f"{before}{start}{content}{end}{after}"
