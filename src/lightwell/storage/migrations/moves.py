"""Runs the scripts of the chain, by Alembic, on a connection that `chain.py` has prepared."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from lightwell.errors import Invalid


def upgrade(connection: Connection, revision: str) -> None:
    """Run the scripts up to a revision; Invalid when there is no such revision."""
    try:
        command.upgrade(_configuration(connection), revision)
    except CommandError as error:
        raise Invalid(str(error)) from error


def downgrade(connection: Connection, revision: str) -> None:
    """Run the scripts down to a revision; Invalid when there is no such revision."""
    try:
        command.downgrade(_configuration(connection), revision)
    except CommandError as error:
        raise Invalid(str(error)) from error


def _configuration(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
