"""Helpers for tests of terms: draft, change and sign them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from partnerships.agreements.models import (
    TermsProposal,
    TermsVersion,
)
from partnerships.agreements.services import (
    change_status,
    propose_amendment,
    sign_terms,
)
from partnerships.people.models import User
from tests.support.moments import today
from tests.support.terms import draft, first_proposal
from tests.world import World


def days(count: int) -> dt.date:
    """Return the day this many days from today."""
    return today() + dt.timedelta(days=count)


def draft_first_terms(world: World) -> TermsProposal:
    """Complete the first draft of a partnership that is drafting, so that it can be signed."""
    change_status(
        partnership=world.partnership, status="drafting", reason="Agreed.", author=world.amina, now=timezone.now()
    )
    return draft(first_proposal(world.partnership), world.amina, text="We meet.", review_on=days(365).isoformat())


def propose_change(
    world: World, author: User, organisation: Any, *, from_day: dt.date | None = None, **change: Any
) -> TermsProposal:
    """Propose an amendment of an active partnership for the organisation, and change its draft."""
    proposal = propose_amendment(
        partnership=world.partnership,
        organisation=organisation,
        reason="A better way.",
        from_day=from_day,
        author=author,
        now=timezone.now(),
    )
    return draft(proposal, author, **change)


def clause_text(version: TermsVersion | None, key: str = "terms") -> str:
    """Return the text of a clause in a version of the terms."""
    assert version is not None
    return next(item["body"] for item in version.content["clauses"] if item["key"] == key)


def sign(version: TermsVersion, person: User, organisation: Any, **more: Any) -> Any:
    """Sign the version for the organisation, as this person."""
    return sign_terms(
        version=version,
        organisation=organisation,
        person=person,
        name=person.name,
        title="Lead",
        now=timezone.now(),
        **more,
    )
