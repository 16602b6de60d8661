"""Limits of single API keys, and how many tasks each owner made on a day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_LIMITS = {"rate_per_s": sa.Double, "at_once": sa.Integer, "per_day": sa.Integer}


def upgrade() -> None:
    for name, kind in _LIMITS.items():
        op.add_column("api_key", sa.Column(name, kind))
    op.create_table(
        "usage",
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("tasks", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("owner", "day", name="pk_usage"),
    )


def downgrade() -> None:
    op.drop_table("usage")
    for name in _LIMITS:
        op.drop_column("api_key", name)
