"""Problems of rows of developer agreements that are set aside, with their remedies."""

from __future__ import annotations

from partnerships.organisations.models import Organisation
from partnerships.transfer.services.directory import ASK_ADMINISTRATORS, RunningImport

_CORRECT_AUTHORITY = "Enter the authority’s key, for example local-authority:ADU, or import the list of councils."


def problem_of_unknown_authority(cell: str, run: RunningImport) -> tuple[str, str]:
    """Return the problem and the remedy of a row whose authority is not in the directory."""
    return f"“{cell}” is not in the directory.", ASK_ADMINISTRATORS if run.organisation else _CORRECT_AUTHORITY


def problem_of_other_authority(authority: Organisation, own: Organisation) -> tuple[str, str]:
    """Return the problem and the remedy of another authority's row in an organisation's own files."""
    return (
        f"the row belongs to {authority.name}, and these files belong to {own.name}.",
        f"Remove the row. Only {authority.name} can import it.",
    )


def problem_of_repeated_key(key: str, authority: Organisation, row: int) -> tuple[str, str]:
    """Return the problem and the remedy of a row whose reference is in another row of the same authority."""
    return f"“{key}” of {authority.name} is already in row {row}.", "Correct or remove one of the two."
