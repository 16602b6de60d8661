"""Whose task a job belongs to, so that no owner takes all places at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("job", sa.Column("owner", sa.String, nullable=False, server_default=""))
    op.execute("UPDATE job SET owner = (SELECT task.owner FROM task WHERE task.id = job.task_id)")


def downgrade() -> None:
    op.drop_column("job", "owner")
