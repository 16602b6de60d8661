"""Files of a task besides its source and its result: print sheets, cut-outs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "file",
        sa.Column("key", sa.String, nullable=False),
        sa.Column("task_id", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_file"),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name="fk_file_task_id", ondelete="CASCADE"),
    )
    op.create_index("ix_file_task_id", "file", ["task_id"])


def downgrade() -> None:
    op.drop_table("file")
