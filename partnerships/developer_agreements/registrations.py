"""Register the functions that other rooms call for developer agreements."""

from __future__ import annotations

from partnerships.commitments.origins import register_origin
from partnerships.developer_agreements import obligations
from partnerships.developer_agreements.origins import AGREEMENT
from partnerships.developer_agreements.sections import agreements_lookups, agreements_of, agreements_section
from partnerships.organisations.sections import ON_ORGANISATIONS


def register() -> None:
    """Register agreements as an origin of commitments and a section of organisation pages."""
    obligations.register()
    register_origin(AGREEMENT)
    ON_ORGANISATIONS.register_with_rows(
        "developer agreements", agreements_section, agreements_of, order=40, lookups=agreements_lookups
    )
