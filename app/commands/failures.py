"""What is said when a command fails: a sentence, without a trace."""

from rich.markup import escape
from sqlalchemy.exc import SQLAlchemyError

from app.commands.console import err
from app.config import SettingsRefused
from app.domain.refusals import CommandRefused
from app.storage.engines import UnknownDatabase
from app.storage.graph_pages import BadFile
from app.storage.notary import AuditKeyRefused
from app.web.development_issuer import IssuerKeyRefused
from app.web.explorer.building import PageNotMade

REFUSED, FAILED = 2, 1
"""How the process ends."""
REFUSALS = (AuditKeyRefused, BadFile, CommandRefused, IssuerKeyRefused, PageNotMade, SettingsRefused, UnknownDatabase)
"""What is told to the operator as it is."""


def tell(failure: Exception) -> int | None:
    """Say what failed. How the process is to end, None for a defect of this program, of which nothing is said."""
    if isinstance(failure, REFUSALS):
        err.print(f"[red]gateway:[/red] {escape(str(failure))}")
        return REFUSED
    if isinstance(failure, SQLAlchemyError | OSError):
        err.print(f"[red]gateway:[/red] the database does not answer ({type(failure).__name__})")
        return FAILED
    return None
