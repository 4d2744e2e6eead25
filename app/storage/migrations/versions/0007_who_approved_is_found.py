"""Who approved is found"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NAMED = sa.text("approved_by_id is not null")
"""Few entries name anybody."""


def upgrade() -> None:
    op.create_index(
        op.f("ix_audit_entries_tenant_id_approved_by_id"),
        "audit_entries",
        ["tenant_id", "approved_by_id"],
        sqlite_where=NAMED,
        postgresql_where=NAMED,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_audit_entries_tenant_id_approved_by_id"), table_name="audit_entries")
