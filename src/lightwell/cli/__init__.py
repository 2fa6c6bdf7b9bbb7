"""The command line; each command is a module of this package, loaded when it is called.

`lightwell version` must not wait for the web framework: see `commands.py`.
"""

from lightwell.cli.commands import main

__all__ = ["main"]
