"""Changes that are asked for twice"""

import sqlalchemy as sa
from alembic import op

from app.storage.columns import text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotency_records",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("principal_id", text(36), nullable=False),
        sa.Column("mutation", text(64), nullable=False),
        sa.Column("idempotency_key", text(128), nullable=False),
        sa.Column("input_digest", text(64), nullable=False),
        sa.Column("results", text(), nullable=False),
        sa.Column("created_at", text(27), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_idempotency_records_tenant_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "principal_id", "mutation", "idempotency_key", name=op.f("pk_idempotency_records")
        ),
    )


def downgrade() -> None:
    op.drop_table("idempotency_records")
