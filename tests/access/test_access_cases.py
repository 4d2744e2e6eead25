"""Who sees exactly what: every person of the demo world, every right, on both engines."""

import pytest

from app.access.viewer import binds
from app.access.visible import visible
from app.domain.permissions import Standing
from app.storage.engines import Database
from app.storage.global_ids import global_id
from app.storage.tables import Principal
from tests.access_cases import Atlas, is_person, read_cases
from tests.world import SEEDED_AT

PEOPLE = sorted(read_cases())


@pytest.mark.parametrize("person", PEOPLE)
async def test_a_person_sees_exactly_what_the_rules_say(person: str, world: Database, atlas: Atlas) -> None:
    viewer = atlas.viewer(person)

    for case in read_cases()[person]:
        rows = visible(case.table, case.right)
        async with world.reading() as connection:
            answer = await connection.execute(rows, binds(viewer, SEEDED_AT))

        seen = {global_id(case.table(**row._mapping)) for row in answer}
        expected = atlas.ids(case)
        extra, missing = ({atlas.names[key] for key in keys} for keys in (seen - expected, expected - seen))
        assert (extra, missing) == (set(), set()), f"{case}: sees {extra} too much, {missing} too little"


async def test_everybody_has_a_case(atlas: Atlas) -> None:
    assert {row.name for row in atlas.rows[Principal] if is_person(row)} == set(PEOPLE)


def test_every_right_matters_to_somebody_and_is_denied_to_somebody() -> None:
    cases = [case for of_person in read_cases().values() for case in of_person]
    held, denied = ({(case.noun, case.right) for case in cases if bool(case.names) is holds} for holds in (True, False))

    assert held == {(case.noun, case.right) for case in cases}
    assert held - denied == {("principals", Standing.NAMED), ("tenants", Standing.NAMED)}  # oneself and one's tenant
