"""The demo world with many more of everything around the people who send the documents in `fixtures/queries`."""

from pathlib import Path
from typing import Any

import orjson

from app.access.viewer import SYSTEM
from app.operations.seeding import seed_world
from app.operations.work import Work
from app.storage.engines import Database
from app.storage.world_files import read_world
from tests.world import SEEDED_AT

MORE = 25
"""More than any document asks for on one page."""


def more() -> dict[str, Any]:
    """Customers who delegate to Northwind and invite Adatum, partners and roles of Contoso, and people."""
    customers, partners = ([f"{kind}-{n}.example" for n in range(MORE)] for kind in ("customer", "partner"))
    monitoring = {"partner": "northwind.example", "name": "Monitoring", "permissions": ["ROOMS_VIEW"]}
    tool = {"partner": "northwind.example", "role": "Monitoring", "name": "Tool", "members": ["northwind-tool"]}
    sent = {"sentAt": "-P1D", "expiresInDays": 9, "termsVersion": "1"}
    return {
        "tenants": [{"name": each, "domains": [each], "mayBePartner": True} for each in [*customers, *partners]],
        "people": [
            *({"tenant": "contoso.example", "name": f"contoso-extra-{n}"} for n in range(MORE)),
            *({"tenant": each, "name": f"admin of {each}"} for each in [*customers, *partners]),
        ],
        "rooms": [{"tenant": each, "account": f"room@{each}", "name": f"Room of {each}"} for each in customers],
        "groups": [
            {"tenant": "contoso.example", "name": f"Extra {n}", "rooms": ["zrh-board@contoso.example"]}
            for n in range(MORE)
        ],
        "partnerships": [
            *(
                {
                    "customer": each,
                    "partner": "northwind.example",
                    "establishedAt": "-P1D",
                    "primaryAdmins": ["northwind-admin"],
                    "rooms": [f"room@{each}"],
                }
                for each in customers
            ),
            *(
                {
                    "customer": "contoso.example",
                    "partner": each,
                    "establishedAt": "-P1D",
                    "primaryAdmins": [f"admin of {each}"],
                    "rooms": ["zrh-board@contoso.example"],
                }
                for each in partners
            ),
        ],
        "invitations": [
            *(
                {"customer": each, "partner": "adatum.example", "rooms": [f"room@{each}"], **sent}
                | {"sentBy": f"admin of {each}"}
                for each in customers
            ),
            *(
                {"customer": "contoso.example", "partner": each, "rooms": ["zrh-1@contoso.example"], **sent}
                for each in customers
            ),
        ],
        "roles": [
            *({"customer": each, **monitoring} for each in customers),
            *({"customer": "contoso.example", "name": f"Role {n}", "permissions": ["ROOMS_VIEW"]} for n in range(MORE)),
        ],
        "assignments": [{"customer": each, "rooms": [f"room@{each}"], **tool} for each in customers],
    }


async def grow(database: Database, folder: Path) -> None:
    """Seed all of that into the demo world."""
    file = folder / "more.json"
    file.write_bytes(orjson.dumps(more()))
    async with Work.begin(database, SYSTEM, SEEDED_AT, "grow") as work:
        await seed_world(work, read_world([file]))
