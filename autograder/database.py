"""The database that holds a gradebook: an SQLite file, or PostgreSQL for a course with several graders.

A PostgreSQL gradebook has one writer an assignment: each holds an advisory lock on a connection of its own, which the
server lets go when that process ends, however it ends. SQLite locks its file.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbgrader
import nbgrader.api
import sqlalchemy
from alembic.script import ScriptDirectory
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from autograder.errors import InstructorError

WAIT_SECONDS = 15
_POLL_SECONDS = 0.1


def find(url: str) -> sqlalchemy.URL:
    """The database that an SQLAlchemy URL names; PostgreSQL is spoken through psycopg 3.

    Raises:
        InstructorError: it is no URL, or its driver is not installed.
    """
    try:
        found = sqlalchemy.make_url(url)
        if found.drivername in ("postgresql", "postgres"):  # SQLAlchemy means psycopg2 by them
            found = found.set(drivername="postgresql+psycopg")
        found.get_dialect().import_dbapi()
    except NoSuchModuleError:
        raise InstructorError(
            f"No kind of database is called {url.partition(':')[0]}. Use sqlite or postgresql."
        ) from None
    except ArgumentError:
        raise InstructorError(
            "--db needs a database URL. Write sqlite:///gradebook.db or postgresql://user@host/database."
        ) from None
    except ImportError as error:
        raise InstructorError(
            f"The driver of {found.drivername} is missing ({error}). "
            "For PostgreSQL, run: pip install 'convbook[cluster]'"
        ) from None
    return found


def shown(url: sqlalchemy.URL) -> str:
    """The URL for a message: without its password."""
    return url.render_as_string(hide_password=True)


def reason(error: Exception) -> str:
    """What the database said, in one line: SQLAlchemy adds the statement and everything in it."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


def make_tables(url: sqlalchemy.URL) -> None:
    """nbgrader's tables where the database has none, with the version that its upgrades start from.

    nbgrader would do the same, but asks for the version by a program that takes a second to start.
    """
    engine = sqlalchemy.create_engine(url)
    try:
        if sqlalchemy.inspect(engine).get_table_names():
            return
        version = ScriptDirectory(str(Path(nbgrader.__file__).parent / "alembic")).get_current_head()
        table = sqlalchemy.Table(
            "alembic_version",
            sqlalchemy.MetaData(),
            sqlalchemy.Column("version_num", sqlalchemy.String(32), nullable=False),
        )
        with engine.begin() as connection:
            nbgrader.api.Base.metadata.create_all(connection)
            table.create(connection)
            connection.execute(sqlalchemy.insert(table).values(version_num=version))
    finally:
        engine.dispose()


@contextmanager
def held(url: sqlalchemy.URL, what: str) -> Iterator[None]:
    """Be the only one who holds `what` of a PostgreSQL database, as long as the body runs.

    Raises:
        InstructorError: somebody else holds it, or the server cannot be reached.
    """
    if url.get_backend_name() != "postgresql":
        yield
        return
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    try:
        with engine.connect() as connection:
            _take(connection, url, what)
            yield
    finally:
        engine.dispose()


def _take(connection: sqlalchemy.Connection, url: sqlalchemy.URL, what: str) -> None:
    number = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], signed=True)
    deadline = time.monotonic() + WAIT_SECONDS
    while not connection.scalar(sqlalchemy.select(sqlalchemy.func.pg_try_advisory_lock(number))):
        if time.monotonic() > deadline:
            raise InstructorError(
                f"Another run writes {what} into {shown(url)}. Wait until it ends, or stop it; "
                "this run then goes on where it stopped."
            )
        time.sleep(_POLL_SECONDS)
