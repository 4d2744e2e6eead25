"""Groups in groups, and who is gone"""

import sqlalchemy as sa
from alembic import op

from app.storage.append_only import define
from app.storage.columns import text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = ("tenant_id", "group_id", "member_id")
COPY = "insert into direct_members select tenant_id, group_id, member_id from group_members"
"""There were no groups in groups."""


def upgrade() -> None:
    op.create_table(
        "direct_members",
        *(sa.Column(name, text(36), nullable=False) for name in KEY),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_id"],
            ["principals.tenant_id", "principals.id"],
            name=op.f("fk_direct_members_tenant_id_group_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint(*KEY, name=op.f("pk_direct_members")),
    )
    op.create_index(op.f("ix_direct_members_tenant_id_member_id"), "direct_members", ["tenant_id", "member_id"])
    define(op.get_bind(), COPY)
    op.add_column("principals", sa.Column("removed_at", text(27), nullable=True))


def downgrade() -> None:
    op.drop_column("principals", "removed_at")
    op.drop_index(op.f("ix_direct_members_tenant_id_member_id"), table_name="direct_members")
    op.drop_table("direct_members")
