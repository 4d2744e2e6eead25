"""Changes that wait for approval"""

import sqlalchemy as sa
from alembic import op

from app.storage.columns import text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

OPEN = sa.text("decided_at is null")


def upgrade() -> None:
    op.create_table(
        "approval_requests",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("id", text(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("partnership_id", text(36), nullable=False),
        sa.Column("state", text(32), nullable=False),
        sa.Column("event", sa.Integer(), nullable=False),
        sa.Column("mutation", text(64), nullable=False),
        sa.Column("command", text(), nullable=False),
        sa.Column("digest", text(64), nullable=False),
        sa.Column("requester_tenant_id", text(36), nullable=False),
        sa.Column("requester_id", text(36), nullable=False),
        sa.Column("requested_at", text(27), nullable=False),
        sa.Column("expires_at", text(27), nullable=False),
        sa.Column("subject", text(128), nullable=True),
        sa.Column("subject_name", text(), nullable=False),
        sa.Column("changes", text(), nullable=False),
        sa.Column("decided_at", text(27), nullable=True),
        sa.Column("decider_tenant_id", text(36), nullable=True),
        sa.Column("decider_id", text(36), nullable=True),
        sa.Column("comment", text(1024), nullable=True),
        sa.Column("failure", text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_approval_requests_tenant_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "partnership_id"],
            ["partnerships.tenant_id", "partnerships.id"],
            name=op.f("fk_approval_requests_tenant_id_partnership_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_approval_requests")),
    )
    op.create_index(
        "uq_approval_requests_open",
        "approval_requests",
        ["tenant_id", "partnership_id", "requester_id", "digest"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    for columns in (
        ["tenant_id", "requested_at", "id"],
        ["tenant_id", "partnership_id", "requested_at"],
        ["requester_tenant_id", "requester_id"],
    ):
        op.create_index(op.f(f"ix_approval_requests_{'_'.join(columns)}"), "approval_requests", columns)
    op.add_column("audit_entries", sa.Column("approval_id", text(36), nullable=True))


def downgrade() -> None:
    op.drop_column("audit_entries", "approval_id")
    op.drop_table("approval_requests")
