"""Alembic's entry: runs the migrations on the connection handed over by `upgrade`."""

from alembic import context

from talentseal.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
