"""The first tables: tasks, jobs, API keys, callback deliveries and workers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "task",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("return_type", sa.Integer, nullable=False),
        sa.Column("public_url", sa.String, nullable=False),
        sa.Column("request_id", sa.String, nullable=False),
        sa.Column("image_url", sa.String),
        sa.Column("source_key", sa.String),
        sa.Column("callback_url", sa.String),
        sa.Column("idempotency_key", sa.String),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("progress", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("processed_at", sa.Double),
        sa.Column("completed_at", sa.Double),
        sa.Column("download_ms", sa.Double, nullable=False),
        sa.Column("elapsed_ms", sa.Double, nullable=False),
        sa.Column("failure_code", sa.String),
        sa.Column("failure_message", sa.String),
        sa.Column("result_key", sa.String),
        sa.Column("outcome", sa.JSON),
        sa.Column("expires_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_task"),
        sa.UniqueConstraint("owner", "idempotency_key", name="uq_task_owner_idempotency_key"),
    )
    for column in ("source_key", "state", "result_key", "expires_at"):
        op.create_index(f"ix_task_{column}", "task", [column])

    op.create_table(
        "job",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("task_id", sa.String, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("run_at", sa.Double, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("lease_until", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name="fk_job_task_id", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_task_id", "job", ["task_id"])
    op.create_index("ix_job_order", "job", [sa.text("priority DESC"), "run_at", "id"])

    op.create_table(
        "api_key",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("secret_sha256", sa.String, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )

    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("webhook_id", sa.String, nullable=False),
        sa.Column("task_id", sa.String, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.String),
        sa.Column("next_try_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name="fk_delivery_task_id", ondelete="CASCADE"),
    )
    op.create_index("ix_delivery_task_id", "delivery", ["task_id"])

    op.create_table(
        "worker",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_worker"),
    )


def downgrade() -> None:
    for table in ("worker", "delivery", "api_key", "job", "task"):
        op.drop_table(table)
