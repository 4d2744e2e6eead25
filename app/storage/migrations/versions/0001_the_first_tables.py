"""The first tables"""

import sqlalchemy as sa
from alembic import op

from app.storage.columns import text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", text(36), nullable=False),
        sa.Column("name", text(256), nullable=False),
        sa.Column("name_key", text(512), nullable=False),
        sa.Column("may_be_partner", sa.Boolean(), nullable=False),
        sa.Column("created_at", text(27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
    )
    op.create_index(op.f("ix_tenants_name_key"), "tenants", ["name_key"], unique=False)
    op.create_table(
        "audit_entries",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("id", text(36), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("creation_time", text(27), nullable=False),
        sa.Column("category", text(32), nullable=False),
        sa.Column("operation", text(32), nullable=False),
        sa.Column("action", text(64), nullable=False),
        sa.Column("result_status", text(32), nullable=False),
        sa.Column("object_name", text(), nullable=False),
        sa.Column("subject", text(128), nullable=True),
        sa.Column("user_tenant_id", text(36), nullable=True),
        sa.Column("user_id", text(36), nullable=True),
        sa.Column("approved_by_id", text(36), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("changes", text(), nullable=False),
        sa.Column("request_id", text(64), nullable=False),
        sa.Column("previous_hash", text(64), nullable=True),
        sa.Column("hash", text(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_audit_entries_tenant_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_entries")),
    )
    op.create_index(
        op.f("ix_audit_entries_tenant_id_creation_time_id"),
        "audit_entries",
        ["tenant_id", "creation_time", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_audit_entries_tenant_id_user_tenant_id_user_id"),
        "audit_entries",
        ["tenant_id", "user_tenant_id", "user_id"],
        unique=False,
    )
    op.create_index("uq_audit_entries_sequence", "audit_entries", ["tenant_id", "sequence"], unique=True)
    op.create_table(
        "audit_heads",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("hash", text(64), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_audit_heads_tenant_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_audit_heads")),
    )
    op.create_table(
        "domains",
        sa.Column("name", text(253), nullable=False),
        sa.Column("tenant_id", text(36), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_domains_tenant_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_domains")),
    )
    op.create_index(op.f("ix_domains_tenant_id_name"), "domains", ["tenant_id", "name"], unique=False)
    op.create_table(
        "partnerships",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("id", text(36), nullable=False),
        sa.Column("partner_tenant_id", text(36), nullable=False),
        sa.Column("state", text(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("delegation_id", text(36), nullable=False),
        sa.Column("manual_events", sa.Integer(), nullable=False),
        sa.Column("established_at", text(27), nullable=False),
        sa.Column("removed_at", text(27), nullable=True),
        sa.Column("removed_by_side", text(32), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_partnerships_tenant_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_partnerships")),
    )
    op.create_index(
        op.f("ix_partnerships_partner_tenant_id_tenant_id"),
        "partnerships",
        ["partner_tenant_id", "tenant_id"],
        unique=False,
    )
    op.create_index(
        "uq_partnerships_active",
        "partnerships",
        ["tenant_id", "partner_tenant_id"],
        unique=True,
        sqlite_where=sa.text("state = 'ACTIVE'"),
        postgresql_where=sa.text("state = 'ACTIVE'"),
    )
    op.create_table(
        "principals",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("id", text(36), nullable=False),
        sa.Column("kind", text(32), nullable=False),
        sa.Column("name", text(256), nullable=False),
        sa.Column("name_key", text(512), nullable=False),
        sa.Column("search_key", text(), nullable=False),
        sa.Column("user_principal_name", text(256), nullable=True),
        sa.Column("user_type", text(32), nullable=True),
        sa.Column("created_at", text(27), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_principals_tenant_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_principals")),
    )
    op.create_index(
        op.f("ix_principals_tenant_id_name_key_id"), "principals", ["tenant_id", "name_key", "id"], unique=False
    )
    op.create_table(
        "room_groups",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("id", text(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", text(256), nullable=False),
        sa.Column("name_key", text(512), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_room_groups_tenant_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_room_groups")),
    )
    op.create_index("uq_room_groups_name", "room_groups", ["tenant_id", "name_key"], unique=True)
    op.create_table(
        "update_rings",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("id", text(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", text(256), nullable=False),
        sa.Column("name_key", text(512), nullable=False),
        sa.Column("description", text(1024), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("rollout_days", sa.Integer(), nullable=False),
        sa.Column("test_days", sa.Integer(), nullable=False),
        sa.Column("deferment_days", sa.Integer(), nullable=False),
        sa.Column("preconfigured", sa.Boolean(), nullable=False),
        sa.CheckConstraint("position between 1 and 9", name=op.f("ck_update_rings_position")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_update_rings_tenant_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_update_rings")),
    )
    op.create_index("uq_update_rings_name", "update_rings", ["tenant_id", "name_key"], unique=True)
    op.create_table(
        "group_members",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("group_id", text(36), nullable=False),
        sa.Column("member_id", text(36), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_id"],
            ["principals.tenant_id", "principals.id"],
            name=op.f("fk_group_members_tenant_id_group_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "member_id"],
            ["principals.tenant_id", "principals.id"],
            name=op.f("fk_group_members_tenant_id_member_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "group_id", "member_id", name=op.f("pk_group_members")),
    )
    op.create_index(
        op.f("ix_group_members_tenant_id_member_id"), "group_members", ["tenant_id", "member_id"], unique=False
    )
    op.create_table(
        "invitations",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("id", text(36), nullable=False),
        sa.Column("partner_tenant_id", text(36), nullable=False),
        sa.Column("partner_domain", text(253), nullable=False),
        sa.Column("state", text(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sent_at", text(27), nullable=False),
        sa.Column("sent_by_id", text(36), nullable=True),
        sa.Column("expires_at", text(27), nullable=False),
        sa.Column("answered_at", text(27), nullable=True),
        sa.Column("closed_at", text(27), nullable=True),
        sa.Column("manual_events", sa.Integer(), nullable=False),
        sa.Column("terms_version", text(256), nullable=False),
        sa.Column("terms_digest", text(64), nullable=False),
        sa.Column("partnership_id", text(36), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "partnership_id"],
            ["partnerships.tenant_id", "partnerships.id"],
            name=op.f("fk_invitations_tenant_id_partnership_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sent_by_id"],
            ["principals.tenant_id", "principals.id"],
            name=op.f("fk_invitations_tenant_id_sent_by_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_invitations_tenant_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invitations")),
    )
    op.create_index(
        op.f("ix_invitations_partner_tenant_id_sent_at"), "invitations", ["partner_tenant_id", "sent_at"], unique=False
    )
    op.create_index(
        op.f("ix_invitations_tenant_id_sent_at_id"), "invitations", ["tenant_id", "sent_at", "id"], unique=False
    )
    op.create_index(
        "uq_invitations_open",
        "invitations",
        ["tenant_id", "partner_tenant_id"],
        unique=True,
        sqlite_where=sa.text("closed_at is null"),
        postgresql_where=sa.text("closed_at is null"),
    )
    op.create_table(
        "roles",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("id", text(36), nullable=False),
        sa.Column("partnership_id", text(36), nullable=True),
        sa.Column("built_in", text(32), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", text(100), nullable=False),
        sa.Column("name_key", text(512), nullable=False),
        sa.Column("description", text(1024), nullable=True),
        sa.Column("permissions", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "partnership_id"],
            ["partnerships.tenant_id", "partnerships.id"],
            name=op.f("fk_roles_tenant_id_partnership_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_roles_tenant_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_roles")),
    )
    op.create_index(
        "uq_roles_own_name",
        "roles",
        ["tenant_id", "name_key"],
        unique=True,
        sqlite_where=sa.text("partnership_id is null"),
        postgresql_where=sa.text("partnership_id is null"),
    )
    op.create_index(
        "uq_roles_partner_name",
        "roles",
        ["tenant_id", "partnership_id", "name_key"],
        unique=True,
        sqlite_where=sa.text("partnership_id is not null"),
        postgresql_where=sa.text("partnership_id is not null"),
    )
    op.create_table(
        "rooms",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("id", text(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", text(27), nullable=False),
        sa.Column("updated_at", text(27), nullable=False),
        sa.Column("retired_at", text(27), nullable=True),
        sa.Column("graph_id", text(256), nullable=True),
        sa.Column("account", text(256), nullable=False),
        sa.Column("account_key", text(512), nullable=False),
        sa.Column("name", text(256), nullable=False),
        sa.Column("name_key", text(512), nullable=False),
        sa.Column("label", text(256), nullable=True),
        sa.Column("nickname", text(256), nullable=True),
        sa.Column("search_key", text(), nullable=False),
        sa.Column("country_or_region", text(256), nullable=True),
        sa.Column("state", text(256), nullable=True),
        sa.Column("city", text(256), nullable=True),
        sa.Column("city_key", text(512), nullable=True),
        sa.Column("postal_code", text(256), nullable=True),
        sa.Column("street", text(256), nullable=True),
        sa.Column("campus", text(256), nullable=True),
        sa.Column("building", text(256), nullable=True),
        sa.Column("building_key", text(512), nullable=True),
        sa.Column("floor", text(256), nullable=True),
        sa.Column("floor_label", text(256), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("time_zone", text(256), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("tags", text(), nullable=False),
        sa.Column("wheelchair_accessible", sa.Boolean(), nullable=True),
        sa.Column("booking_type", text(32), nullable=False),
        sa.Column("platform", text(32), nullable=False),
        sa.Column("device_manufacturer", text(256), nullable=True),
        sa.Column("license", text(32), nullable=False),
        sa.Column("enrollment", text(32), nullable=False),
        sa.Column("ring_id", text(36), nullable=False),
        sa.CheckConstraint("capacity >= 0", name=op.f("ck_rooms_capacity")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ring_id"],
            ["update_rings.tenant_id", "update_rings.id"],
            name=op.f("fk_rooms_tenant_id_ring_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_rooms_tenant_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rooms")),
    )
    op.create_index(op.f("ix_rooms_tenant_id_capacity_id"), "rooms", ["tenant_id", "capacity", "id"], unique=False)
    op.create_index(op.f("ix_rooms_tenant_id_name_key_id"), "rooms", ["tenant_id", "name_key", "id"], unique=False)
    op.create_index(op.f("ix_rooms_tenant_id_ring_id"), "rooms", ["tenant_id", "ring_id"], unique=False)
    op.create_index(op.f("ix_rooms_tenant_id_updated_at_id"), "rooms", ["tenant_id", "updated_at", "id"], unique=False)
    op.create_index("uq_rooms_account", "rooms", ["tenant_id", "account_key"], unique=True)
    op.create_index("uq_rooms_graph_id", "rooms", ["tenant_id", "graph_id"], unique=True)
    op.create_table(
        "assignments",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("id", text(36), nullable=False),
        sa.Column("role_id", text(36), nullable=False),
        sa.Column("partnership_id", text(36), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", text(100), nullable=False),
        sa.Column("name_key", text(512), nullable=False),
        sa.Column("description", text(1024), nullable=True),
        sa.Column("all_rooms", sa.Boolean(), nullable=False),
        sa.Column("notify_by_email", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "partnership_id"],
            ["partnerships.tenant_id", "partnerships.id"],
            name=op.f("fk_assignments_tenant_id_partnership_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "role_id"],
            ["roles.tenant_id", "roles.id"],
            name=op.f("fk_assignments_tenant_id_role_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_assignments_tenant_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assignments")),
    )
    op.create_index(
        op.f("ix_assignments_tenant_id_partnership_id"), "assignments", ["tenant_id", "partnership_id"], unique=False
    )
    op.create_index("uq_assignments_name", "assignments", ["tenant_id", "role_id", "name_key"], unique=True)
    op.create_table(
        "invitation_groups",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("invitation_id", text(36), nullable=False),
        sa.Column("group_id", text(36), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_id"],
            ["room_groups.tenant_id", "room_groups.id"],
            name=op.f("fk_invitation_groups_tenant_id_group_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invitation_id"],
            ["invitations.tenant_id", "invitations.id"],
            name=op.f("fk_invitation_groups_tenant_id_invitation_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "invitation_id", "group_id", name=op.f("pk_invitation_groups")),
    )
    op.create_index(
        op.f("ix_invitation_groups_tenant_id_group_id"), "invitation_groups", ["tenant_id", "group_id"], unique=False
    )
    op.create_table(
        "invitation_rooms",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("invitation_id", text(36), nullable=False),
        sa.Column("room_id", text(36), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invitation_id"],
            ["invitations.tenant_id", "invitations.id"],
            name=op.f("fk_invitation_rooms_tenant_id_invitation_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "room_id"],
            ["rooms.tenant_id", "rooms.id"],
            name=op.f("fk_invitation_rooms_tenant_id_room_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "invitation_id", "room_id", name=op.f("pk_invitation_rooms")),
    )
    op.create_index(
        op.f("ix_invitation_rooms_tenant_id_room_id"), "invitation_rooms", ["tenant_id", "room_id"], unique=False
    )
    op.create_table(
        "room_group_rooms",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("group_id", text(36), nullable=False),
        sa.Column("room_id", text(36), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_id"],
            ["room_groups.tenant_id", "room_groups.id"],
            name=op.f("fk_room_group_rooms_tenant_id_group_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "room_id"],
            ["rooms.tenant_id", "rooms.id"],
            name=op.f("fk_room_group_rooms_tenant_id_room_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "group_id", "room_id", name=op.f("pk_room_group_rooms")),
    )
    op.create_index(
        op.f("ix_room_group_rooms_tenant_id_room_id"), "room_group_rooms", ["tenant_id", "room_id"], unique=False
    )
    op.create_table(
        "assignment_groups",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("assignment_id", text(36), nullable=False),
        sa.Column("group_id", text(36), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "assignment_id"],
            ["assignments.tenant_id", "assignments.id"],
            name=op.f("fk_assignment_groups_tenant_id_assignment_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_id"],
            ["room_groups.tenant_id", "room_groups.id"],
            name=op.f("fk_assignment_groups_tenant_id_group_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "assignment_id", "group_id", name=op.f("pk_assignment_groups")),
    )
    op.create_index(
        op.f("ix_assignment_groups_tenant_id_group_id"), "assignment_groups", ["tenant_id", "group_id"], unique=False
    )
    op.create_table(
        "assignment_members",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("assignment_id", text(36), nullable=False),
        sa.Column("member_tenant_id", text(36), nullable=False),
        sa.Column("member_id", text(36), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "assignment_id"],
            ["assignments.tenant_id", "assignments.id"],
            name=op.f("fk_assignment_members_tenant_id_assignment_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "assignment_id", "member_tenant_id", "member_id", name=op.f("pk_assignment_members")
        ),
    )
    op.create_index(
        op.f("ix_assignment_members_member_tenant_id_member_id"),
        "assignment_members",
        ["member_tenant_id", "member_id"],
        unique=False,
    )
    op.create_table(
        "assignment_rooms",
        sa.Column("tenant_id", text(36), nullable=False),
        sa.Column("assignment_id", text(36), nullable=False),
        sa.Column("room_id", text(36), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "assignment_id"],
            ["assignments.tenant_id", "assignments.id"],
            name=op.f("fk_assignment_rooms_tenant_id_assignment_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "room_id"],
            ["rooms.tenant_id", "rooms.id"],
            name=op.f("fk_assignment_rooms_tenant_id_room_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "assignment_id", "room_id", name=op.f("pk_assignment_rooms")),
    )
    op.create_index(
        op.f("ix_assignment_rooms_tenant_id_room_id"), "assignment_rooms", ["tenant_id", "room_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_assignment_rooms_tenant_id_room_id"), table_name="assignment_rooms")
    op.drop_table("assignment_rooms")
    op.drop_index(op.f("ix_assignment_members_member_tenant_id_member_id"), table_name="assignment_members")
    op.drop_table("assignment_members")
    op.drop_index(op.f("ix_assignment_groups_tenant_id_group_id"), table_name="assignment_groups")
    op.drop_table("assignment_groups")
    op.drop_index(op.f("ix_room_group_rooms_tenant_id_room_id"), table_name="room_group_rooms")
    op.drop_table("room_group_rooms")
    op.drop_index(op.f("ix_invitation_rooms_tenant_id_room_id"), table_name="invitation_rooms")
    op.drop_table("invitation_rooms")
    op.drop_index(op.f("ix_invitation_groups_tenant_id_group_id"), table_name="invitation_groups")
    op.drop_table("invitation_groups")
    op.drop_index("uq_assignments_name", table_name="assignments")
    op.drop_index(op.f("ix_assignments_tenant_id_partnership_id"), table_name="assignments")
    op.drop_table("assignments")
    op.drop_index("uq_rooms_graph_id", table_name="rooms")
    op.drop_index("uq_rooms_account", table_name="rooms")
    op.drop_index(op.f("ix_rooms_tenant_id_updated_at_id"), table_name="rooms")
    op.drop_index(op.f("ix_rooms_tenant_id_ring_id"), table_name="rooms")
    op.drop_index(op.f("ix_rooms_tenant_id_name_key_id"), table_name="rooms")
    op.drop_index(op.f("ix_rooms_tenant_id_capacity_id"), table_name="rooms")
    op.drop_table("rooms")
    op.drop_index(
        "uq_roles_partner_name",
        table_name="roles",
        sqlite_where=sa.text("partnership_id is not null"),
        postgresql_where=sa.text("partnership_id is not null"),
    )
    op.drop_index(
        "uq_roles_own_name",
        table_name="roles",
        sqlite_where=sa.text("partnership_id is null"),
        postgresql_where=sa.text("partnership_id is null"),
    )
    op.drop_table("roles")
    op.drop_index(
        "uq_invitations_open",
        table_name="invitations",
        sqlite_where=sa.text("closed_at is null"),
        postgresql_where=sa.text("closed_at is null"),
    )
    op.drop_index(op.f("ix_invitations_tenant_id_sent_at_id"), table_name="invitations")
    op.drop_index(op.f("ix_invitations_partner_tenant_id_sent_at"), table_name="invitations")
    op.drop_table("invitations")
    op.drop_index(op.f("ix_group_members_tenant_id_member_id"), table_name="group_members")
    op.drop_table("group_members")
    op.drop_index("uq_update_rings_name", table_name="update_rings")
    op.drop_table("update_rings")
    op.drop_index("uq_room_groups_name", table_name="room_groups")
    op.drop_table("room_groups")
    op.drop_index(op.f("ix_principals_tenant_id_name_key_id"), table_name="principals")
    op.drop_table("principals")
    op.drop_index(
        "uq_partnerships_active",
        table_name="partnerships",
        sqlite_where=sa.text("state = 'ACTIVE'"),
        postgresql_where=sa.text("state = 'ACTIVE'"),
    )
    op.drop_index(op.f("ix_partnerships_partner_tenant_id_tenant_id"), table_name="partnerships")
    op.drop_table("partnerships")
    op.drop_index(op.f("ix_domains_tenant_id_name"), table_name="domains")
    op.drop_table("domains")
    op.drop_table("audit_heads")
    op.drop_index("uq_audit_entries_sequence", table_name="audit_entries")
    op.drop_index(op.f("ix_audit_entries_tenant_id_user_tenant_id_user_id"), table_name="audit_entries")
    op.drop_index(op.f("ix_audit_entries_tenant_id_creation_time_id"), table_name="audit_entries")
    op.drop_table("audit_entries")
    op.drop_index(op.f("ix_tenants_name_key"), table_name="tenants")
    op.drop_table("tenants")
