"""What Alembic runs for every command: the chain, on the connection that `chain.py` put into the configuration."""

from alembic import context

from lightwell.storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
context.run_migrations()
