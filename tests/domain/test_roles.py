"""What a role or an assignment may be called, and which permissions a role may hold."""

import pytest

from app.domain.permissions import (
    CUSTOM_CEILING,
    NOTHING,
    PARTNER_CEILING,
    TABLE_1_COLUMNS,
    Permission,
    view_of,
)
from app.domain.refusals import ErrorCode, Refused
from app.domain.roles import ceiling, named, read_description, read_name, wrong_permissions

INCIDENT = Permission.REPORTS_CREATE_INCIDENT


@pytest.mark.parametrize(
    ("given", "read"), [("a", "a"), ("  a b ", "a b"), ("x" * 100, "x" * 100), ("𝔸" * 100, "𝔸" * 100)]
)
def test_a_name_is_read_without_its_outer_spaces_43(given: str, read: str) -> None:
    assert read_name(given, "name") == read


@pytest.mark.parametrize("given", [None, "", " \t ", "x" * 101, "a\nb", "a\x00b", "a\u2028b", "a\x9fb"])
def test_a_name_that_cannot_be_is_refused_with_its_bounds_43(given: str | None) -> None:
    with pytest.raises(Refused) as refused:
        read_name(given, "assignment", "name")

    assert (refused.value.code, refused.value.path) == (ErrorCode.INVALID_INPUT, ("input", "assignment", "name"))
    assert refused.value.details == {"min": 1, "max": 100}


@pytest.mark.parametrize(
    ("given", "read"), [(None, None), ("", None), (" \n ", None), (" a\nb\t", "a\nb"), ("x" * 1024, "x" * 1024)]
)
def test_a_description_may_be_missing_and_may_have_lines(given: str | None, read: str | None) -> None:
    assert read_description(given, "description") == read


@pytest.mark.parametrize("given", ["x" * 1025, "a\x00b", "a\x1bb"])
def test_a_description_that_cannot_be_is_refused(given: str) -> None:
    with pytest.raises(Refused) as refused:
        read_description(given, "description")

    assert refused.value.details == {"min": None, "max": 1024}


def test_every_level_needs_its_view_but_for_incidents_27_and_28() -> None:
    needs = {each: view_of(each) for each in CUSTOM_CEILING}

    assert {each for each, view in needs.items() if each is view} == {
        *(each for each in CUSTOM_CEILING if str(each.name).endswith("_VIEW")),
        INCIDENT,
    }
    assert needs[Permission.ROOMS_DOWNLOAD_KEY] is Permission.ROOMS_VIEW
    assert needs[Permission.TICKETS_UPDATE] is Permission.TICKETS_VIEW


@pytest.mark.parametrize("role", TABLE_1_COLUMNS)
def test_the_built_in_roles_keep_to_the_levels_27(role: object) -> None:
    held = list(role.permissions & CUSTOM_CEILING)  # type: ignore[attr-defined]

    assert wrong_permissions(held, CUSTOM_CEILING, "permissions") == []


def test_a_role_may_hold_what_its_owner_may_give_19_and_24() -> None:
    assert (ceiling(of_partner=False), ceiling(of_partner=True)) == (CUSTOM_CEILING, PARTNER_CEILING)
    assert wrong_permissions(list(PARTNER_CEILING), PARTNER_CEILING, "permissions") == []


def test_each_wrong_permission_is_named_at_its_place() -> None:
    asked = [Permission.ROOMS_VIEW, Permission.AUDIT_VIEW, Permission.RINGS_MODIFY]

    problems = wrong_permissions(asked, PARTNER_CEILING, "permissions")

    assert [problem.path for problem in problems] == [("input", "permissions", "1"), ("input", "permissions", "2")]
    assert wrong_permissions([], PARTNER_CEILING, "permissions")[0].path == ("input", "permissions")


def test_permissions_are_named_in_the_order_of_table_1() -> None:
    assert named(Permission.TICKETS_VIEW | Permission.ROOMS_VIEW) == "ROOMS_VIEW, TICKETS_VIEW"
    assert named(NOTHING) is None
