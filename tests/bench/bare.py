"""The floor of redemptions over sockets: an application as anybody writes it with FastAPI and SQLAlchemy,
which inserts one durable row a request. Nobody is asked who he is, and nothing is remembered or evidenced.
"""

import secrets
import socket
import time
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import BigInteger, Engine, String, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from talentseal.commands.running import settle

ROWS: Final = "/rows"


class Base(DeclarativeBase):
    pass


class Row(Base):
    __tablename__ = "bare_row"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sent: Mapped[str]
    at: Mapped[int] = mapped_column(BigInteger)


class Sent(BaseModel):
    staff: str
    sent: str


class Kept(BaseModel):
    id: str


def prepare(url: str) -> None:
    """Make the table."""
    engine = _engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()


def serve(url: str, place: socket.socket, _is_first: bool) -> None:
    """Serve it on a socket, until ended."""
    engine, app = _engine(url), FastAPI()

    @app.post(ROWS, status_code=201)
    def keep(sent: Sent) -> Kept:
        with Session(engine) as session:
            row = Row(id=secrets.token_hex(16), sent=sent.sent, at=time.time_ns() // 1000)
            session.add(row)
            session.commit()
            return Kept(id=row.id)

    settle()
    uvicorn.Server(uvicorn.Config(app, log_config=None)).run(sockets=[place])


def _engine(url: str) -> Engine:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def configure(connection: Any, _record: object) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")

    return engine
