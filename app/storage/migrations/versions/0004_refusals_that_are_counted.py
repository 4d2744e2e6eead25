"""Refusals that are counted, and old answers that are found by their age"""

import sqlalchemy as sa
from alembic import op

from app.storage.columns import text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "refusal_counts",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("user_tenant_id", text(36), nullable=False),
        sa.Column("user_id", text(36), nullable=False),
        sa.Column("action", text(64), nullable=False),
        sa.Column("subject", text(128), nullable=False),
        sa.Column("minute", text(27), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("category", text(32), nullable=False),
        sa.Column("operation", text(32), nullable=False),
        sa.Column("object_name", text(), nullable=False),
        sa.Column("error", text(32), nullable=False),
        sa.Column("refused_at", text(27), nullable=False),
        sa.Column("request_id", text(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_refusal_counts_tenant_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "user_tenant_id", "user_id", "action", "subject", "minute", name=op.f("pk_refusal_counts")
        ),
    )
    op.create_index(
        op.f("ix_idempotency_records_tenant_id_created_at"),
        "idempotency_records",
        ["tenant_id", "created_at"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_idempotency_records_tenant_id_created_at"), table_name="idempotency_records")
    op.drop_table("refusal_counts")
