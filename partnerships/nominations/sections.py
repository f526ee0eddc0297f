"""Sections about nominations on the pages of partnerships and asks."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.exchange.models import Entry
from partnerships.kit.sections import Section
from partnerships.nominations.models import NominationsAgreement
from partnerships.nominations.queries.pages import shortfall_origin
from partnerships.nominations.rights import rights_over
from partnerships.nominations.schedule import KIND
from partnerships.organisations.statements import Lookup, count_for, count_lookup
from partnerships.people.models import User


def nominations_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """Return the lookups that `nominations_section` makes, to be read ahead with those of other sections."""
    return [count_lookup(_agreements_of, user, partnership.pk)] if partnership.kind_id == KIND else []


def nominations_section(user: User, partnership: Partnership) -> Section | None:
    """Return the section with a link to the agreement or, before the agreement begins, with what is still missing.

    None for other kinds of partnership, and for partnerships that ended before an agreement began.
    """
    if partnership.kind_id != KIND:
        return None
    has_begun = bool(count_for(_agreements_of, user, partnership.pk))
    if not has_begun and partnership.is_over:
        return None
    return Section("nominations/_section.html", {"partnership": partnership, "has_begun": has_begun})


def ask_origin_section(user: User, ask: Entry) -> Section | None:
    """Return the section that names the return behind an ask and its correction, for readers of that return."""
    origin = shortfall_origin(ask)
    if origin is None or not rights_over(origin.nominations_return.agreement, user, timezone.now()).reads_return(
        origin.nominations_return
    ):
        return None
    return Section("nominations/_ask.html", {"origin": origin, "quarter": origin.nominations_return.quarter})


def _agreements_of(user: User, partnership_id: int) -> QuerySet[NominationsAgreement]:
    return NominationsAgreement.objects.visible_to(user).filter(partnership=partnership_id)
