"""Who may do what, cell by cell: the tables of the domain said again as text, and what follows from them."""

import pytest

from app.domain.permissions import (
    CUSTOM_CEILING,
    DERIVED,
    DIRECTORY_TABLE,
    PARTNER_CEILING,
    TABLE_1,
    BuiltInRole,
    DirectoryRole,
    Permission,
    union,
)

TABLE_1_IN_TEXT = """
#  | feature                | permission               | TRPM | SL | ST | PA | name
1  | Rooms                  | View                     | Y    | Y  | Y  | Y  | ROOMS_VIEW
2  | Rooms                  | Modify                   | Y    | Y  | Y  | Y  | ROOMS_MODIFY
3  | Rooms                  | Reset key                | Y    | -  | -  | -  | ROOMS_RESET_KEY
4  | Rooms                  | Download key             | Y    | Y  | Y  | -  | ROOMS_DOWNLOAD_KEY
5  | Rooms                  | Unenroll                 | Y    | Y  | Y  | -  | ROOMS_UNENROLL
6  | Rooms                  | Create                   | Y    | Y  | -  | -  | ROOMS_CREATE
7  | Group management       | View                     | Y    | Y  | -  | Y  | GROUPS_VIEW
8  | Group management       | Modify                   | Y    | Y  | -  | -  | GROUPS_MODIFY
9  | Group management       | Create                   | Y    | Y  | -  | -  | GROUPS_CREATE
10 | Update ring management | View                     | Y    | Y  | -  | Y  | RINGS_VIEW
11 | Update ring management | Modify                   | Y    | Y  | -  | Y  | RINGS_MODIFY
12 | Reports                | View                     | Y    | Y  | -  | Y  | REPORTS_VIEW
13 | Reports                | Create customer incident | Y    | Y  | Y  | Y  | REPORTS_CREATE_INCIDENT
14 | Tickets Management     | View                     | Y    | Y  | Y  | Y  | TICKETS_VIEW
15 | Tickets Management     | Update                   | Y    | Y  | Y  | Y  | TICKETS_UPDATE
16 | Pro Management Settings| View                     | Y    | -  | -  | -  | SETTINGS_VIEW
17 | Pro Management Settings| Modify                   | Y    | -  | -  | -  | SETTINGS_MODIFY
18 | Role management        | View                     | Y    | -  | -  | Y  | ROLES_VIEW
19 | Role management        | Modify                   | Y    | -  | -  | Y  | ROLES_MODIFY
"""

DIRECTORY_IN_TEXT = """
permission              | GA | TA | TDA | GR
ROOMS_VIEW              | Y  | Y  | Y   | Y
ROOMS_MODIFY            | Y  | Y  | Y   | -
ROOMS_RESET_KEY         | Y  | Y  | Y   | -
ROOMS_DOWNLOAD_KEY      | Y  | Y  | Y   | -
ROOMS_UNENROLL          | Y  | Y  | Y   | -
ROOMS_CREATE            | Y  | Y  | Y   | -
GROUPS_VIEW             | Y  | Y  | Y   | Y
GROUPS_MODIFY           | Y  | Y  | Y   | -
GROUPS_CREATE           | Y  | Y  | Y   | -
RINGS_VIEW              | Y  | Y  | Y   | Y
RINGS_MODIFY            | Y  | Y  | Y   | -
RINGS_MANAGE            | Y  | Y  | Y   | -
REPORTS_VIEW            | Y  | Y  | Y   | Y
REPORTS_CREATE_INCIDENT | Y  | Y  | Y   | -
TICKETS_VIEW            | Y  | Y  | Y   | Y
TICKETS_UPDATE          | Y  | Y  | Y   | -
SETTINGS_VIEW           | Y  | Y  | Y   | -
SETTINGS_MODIFY         | Y  | Y  | Y   | -
ROLES_VIEW              | Y  | Y  | -   | Y
ROLES_MODIFY            | Y  | Y  | -   | -
PARTNERS_VIEW           | Y  | Y  | Y   | Y
PARTNERS_MANAGE         | Y  | -  | -   | -
INVITATIONS_ANSWER      | Y  | -  | -   | -
APPROVALS_DECIDE        | Y  | -  | -   | -
AUDIT_VIEW              | Y  | -  | -   | -
"""

COLUMNS = ("TRPM", "SL", "ST", "PA")
ROLES = dict(
    zip(
        COLUMNS,
        (BuiltInRole.MANAGER, BuiltInRole.SITE_LEAD, BuiltInRole.SITE_TECHNICIAN, BuiltInRole.PRIMARY_ADMIN),
        strict=True,
    )
)
DIRECTORY_COLUMNS = ("GA", "TA", "TDA", "GR")
DIRECTORY_ROLES = dict(
    zip(
        DIRECTORY_COLUMNS,
        (
            DirectoryRole.GLOBAL_ADMINISTRATOR,
            DirectoryRole.TEAMS_ADMINISTRATOR,
            DirectoryRole.TEAMS_DEVICES_ADMINISTRATOR,
            DirectoryRole.GLOBAL_READER,
        ),
        strict=True,
    )
)
NOT_FOR_PRIMARY_ADMINS = (
    Permission.ROOMS_RESET_KEY
    | Permission.ROOMS_DOWNLOAD_KEY
    | Permission.ROOMS_UNENROLL
    | Permission.ROOMS_CREATE
    | Permission.GROUPS_MODIFY
    | Permission.GROUPS_CREATE
    | Permission.SETTINGS_VIEW
    | Permission.SETTINGS_MODIFY
)
MANAGERS_OWN = (
    Permission.PARTNERS_VIEW
    | Permission.PARTNERS_MANAGE
    | Permission.INVITATIONS_ANSWER
    | Permission.APPROVALS_DECIDE
    | Permission.AUDIT_VIEW
    | Permission.RINGS_MANAGE
)


def lines(text: str) -> list[dict[str, str]]:
    """The lines of a table in text, by the names in its first one."""
    names, *cells = ([cell.strip() for cell in line.split("|")] for line in text.strip().splitlines())
    return [dict(zip(names, line, strict=True)) for line in cells]


def ticks(line: dict[str, str], columns: tuple[str, ...]) -> tuple[int, ...]:
    return tuple({"Y": 1, "-": 0}[line[column]] for column in columns)


def test_table_1_is_the_text_cell_by_cell() -> None:
    assert list(TABLE_1.items()) == [
        (Permission[line["name"]], ticks(line, COLUMNS)) for line in lines(TABLE_1_IN_TEXT)
    ]
    assert len(TABLE_1) == 19


@pytest.mark.parametrize("column, total", [("TRPM", 19), ("SL", 14), ("ST", 7), ("PA", 11)])
def test_a_column_of_table_1_is_what_its_role_grants(column: str, total: int) -> None:
    ticked = [Permission[line["name"]] for line in lines(TABLE_1_IN_TEXT) if line[column] == "Y"]

    assert len(ticked) == total
    assert ROLES[column].permissions & CUSTOM_CEILING == union(ticked)


def test_the_directory_roles_are_the_text_cell_by_cell() -> None:
    expected = {Permission[line["permission"]]: ticks(line, DIRECTORY_COLUMNS) for line in lines(DIRECTORY_IN_TEXT)}

    assert expected == DIRECTORY_TABLE
    assert set(DIRECTORY_TABLE) == set(Permission)


@pytest.mark.parametrize("column, total", [("GA", 25), ("TA", 21), ("TDA", 19), ("GR", 7)])
def test_a_column_of_the_directory_roles_is_what_the_role_grants(column: str, total: int) -> None:
    ticked = [Permission[line["permission"]] for line in lines(DIRECTORY_IN_TEXT) if line[column] == "Y"]

    assert len(ticked) == total
    assert DIRECTORY_ROLES[column].permissions == union(ticked)


def test_a_manager_is_a_global_administrator() -> None:
    assert BuiltInRole.MANAGER.permissions == DirectoryRole.GLOBAL_ADMINISTRATOR.permissions == union(Permission)


def test_the_derived_permissions_belong_to_the_manager_and_to_no_custom_role() -> None:
    assert DERIVED == MANAGERS_OWN
    assert union(Permission) & ~MANAGERS_OWN == CUSTOM_CEILING
    assert len(CUSTOM_CEILING) == 19
    for role in (BuiltInRole.SITE_LEAD, BuiltInRole.SITE_TECHNICIAN, BuiltInRole.PRIMARY_ADMIN):
        assert not role.permissions & MANAGERS_OWN


def test_a_partner_can_hold_what_primary_admins_hold_and_nothing_else() -> None:
    assert PARTNER_CEILING == BuiltInRole.PRIMARY_ADMIN.permissions == CUSTOM_CEILING & ~NOT_FOR_PRIMARY_ADMINS
    assert len(NOT_FOR_PRIMARY_ADMINS) == 8


def test_a_tenant_manager_answers_invitations_and_nothing_else() -> None:
    assert BuiltInRole.TENANT_MANAGER.permissions == Permission.INVITATIONS_ANSWER


def test_the_bits_that_are_stored_never_move() -> None:
    in_order = [line["name"] for line in lines(TABLE_1_IN_TEXT)]
    appended = [
        "PARTNERS_VIEW",
        "PARTNERS_MANAGE",
        "INVITATIONS_ANSWER",
        "APPROVALS_DECIDE",
        "AUDIT_VIEW",
        "RINGS_MANAGE",
    ]

    assert {permission.name: permission.value for permission in Permission} == {
        name: 1 << bit for bit, name in enumerate(in_order + appended)
    }
