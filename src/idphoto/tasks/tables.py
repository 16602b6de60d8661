"""The tables, as they are after the last migration. Times are Unix seconds, durations milliseconds."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

task = Table(
    "task",
    metadata,
    Column("id", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("request", JSON, nullable=False),
    Column("return_type", Integer, nullable=False),
    Column("public_url", String, nullable=False),
    Column("request_id", String, nullable=False),
    Column("image_url", String),
    Column("source_key", String, index=True),
    Column("callback_url", String),
    Column("idempotency_key", String),
    Column("state", Integer, nullable=False, index=True),
    Column("progress", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("processed_at", Double),
    Column("completed_at", Double),
    Column("download_ms", Double, nullable=False),
    Column("elapsed_ms", Double, nullable=False),
    Column("failure_code", String),
    Column("failure_message", String),
    Column("result_key", String, index=True),
    Column("outcome", JSON(none_as_null=True)),
    Column("expires_at", Double, index=True),
    UniqueConstraint("owner", "idempotency_key"),
)

file = Table(
    "file",
    metadata,
    Column("key", String, primary_key=True),
    Column("task_id", String, ForeignKey("task.id", ondelete="CASCADE"), nullable=False, index=True),
)
"""What a task has stored besides its source and its result."""

job = Table(
    "job",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("task_id", String, ForeignKey("task.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("owner", String, nullable=False, server_default=""),
    Column("priority", Integer, nullable=False),
    Column("run_at", Double, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("lease_until", Double),
    # In an AUTOINCREMENT table no id is used twice, so that a late worker cannot hit another job's row.
    sqlite_autoincrement=True,
)
Index("ix_job_order", job.c.priority.desc(), job.c.run_at, job.c.id)

api_key = Table(
    "api_key",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("secret_sha256", String, nullable=False),
    Column("created_at", Double, nullable=False),
    # The key's own limits; null: the server's.
    Column("rate_per_s", Double),
    Column("at_once", Integer),
    Column("per_day", Integer),
)

usage = Table(
    "usage",
    metadata,
    Column("owner", String, primary_key=True),
    # Days since 1970-01-01 UTC.
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("tasks", Integer, nullable=False),
)
"""How many tasks an owner made on a day. Tasks themselves are deleted when they expire."""

delivery = Table(
    "delivery",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("webhook_id", String, nullable=False),
    Column("task_id", String, ForeignKey("task.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("status", Integer),
    Column("error", String),
    Column("next_try_at", Double),
)

worker = Table(
    "worker",
    metadata,
    Column("id", String, primary_key=True),
    Column("seen_at", Double, nullable=False),
)
