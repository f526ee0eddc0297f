"""Emails about partnerships.

Each `write_…` function returns the content of one email or, as a text, why the person no longer gets it.
"""

from __future__ import annotations

from partnerships.agreements.emails.dates import (
    write_coming_dates,
    write_date_reached,
    write_notice,
)
from partnerships.agreements.emails.parties import (
    write_answer,
    write_departure,
    write_invitation,
)
from partnerships.agreements.emails.posts import (
    CONTACT,
    CONTACT_SALT,
    ContactCandidate,
    ContactComposer,
    contact_token,
    holder_of_token,
    write_no_lead,
    write_post_filled,
)
from partnerships.agreements.emails.terms import (
    write_terms_agreed,
    write_terms_declined,
    write_terms_in_force,
    write_terms_late,
    write_terms_proposed,
    write_terms_request,
    write_terms_signed,
    write_terms_stopped,
)

__all__ = [
    "CONTACT",
    "CONTACT_SALT",
    "ContactCandidate",
    "ContactComposer",
    "contact_token",
    "holder_of_token",
    "write_answer",
    "write_coming_dates",
    "write_date_reached",
    "write_departure",
    "write_invitation",
    "write_no_lead",
    "write_notice",
    "write_post_filled",
    "write_terms_agreed",
    "write_terms_declined",
    "write_terms_in_force",
    "write_terms_late",
    "write_terms_proposed",
    "write_terms_request",
    "write_terms_signed",
    "write_terms_stopped",
]
