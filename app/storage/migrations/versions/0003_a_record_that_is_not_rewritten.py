"""A record that is not rewritten"""

import sqlalchemy as sa
from alembic import op

from app.storage.append_only import forbid_rewriting, permit_rewriting
from app.storage.columns import text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_anchors",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("hash", text(64), nullable=False),
        sa.Column("moment", text(27), nullable=False),
        sa.Column("signature", text(128), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_audit_anchors_tenant_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "sequence", name=op.f("pk_audit_anchors")),
    )
    move_index("id", "sequence")
    forbid_rewriting(op.get_bind())


def downgrade() -> None:
    permit_rewriting(op.get_bind())
    move_index("sequence", "id")
    op.drop_table("audit_anchors")


def move_index(last: str, instead: str) -> None:
    """Entries by time, with another last column: the ends of some days are found in the index alone."""
    op.drop_index(op.f(f"ix_audit_entries_tenant_id_creation_time_{last}"), table_name="audit_entries")
    columns = ["tenant_id", "creation_time", instead]
    op.create_index(op.f(f"ix_audit_entries_tenant_id_creation_time_{instead}"), "audit_entries", columns)
