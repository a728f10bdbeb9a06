"""The database's history (Alembic). `upgrade` is the only way tables come into being, in tests as in
production.
"""

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def upgrade(connection: Connection) -> None:
    """Bring the connected database to the newest version; nothing happens when it is there already."""
    with as_file(files(__package__)) as folder:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
