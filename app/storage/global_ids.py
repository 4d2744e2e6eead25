"""The global id of a stored row (architecture rule 10)."""

from sqlmodel import SQLModel

from app.domain.ids import GlobalId
from app.domain.vocabulary import PrincipalKind
from app.storage.tables import Principal, Tenant

KIND_OF_PRINCIPAL = {
    PrincipalKind.USER: "user",
    PrincipalKind.GROUP: "securitygroup",
    PrincipalKind.APPLICATION: "application",
}
"""The words for principals; every other kind is its table's class in lower case, as its type is called in the graph."""


def global_id(row: SQLModel) -> str:
    """What clients call this row."""
    if isinstance(row, Tenant):
        return str(GlobalId("tenant", row.id, row.id))
    kind = KIND_OF_PRINCIPAL[row.kind] if isinstance(row, Principal) else type(row).__name__.lower()
    return str(GlobalId(kind, row.tenant_id, row.id))  # type: ignore[attr-defined]
