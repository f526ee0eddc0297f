"""What this room adds to the page of a partnership: the way to its nominations."""

from __future__ import annotations

from django.db.models import QuerySet

from partnerships.agreements.models import Partnership
from partnerships.kit.sections import Section
from partnerships.nominations.models import NominationsAgreement
from partnerships.nominations.schedule import KIND
from partnerships.organisations.statements import count_for
from partnerships.people.models import User


def nominations_section(user: User, partnership: Partnership) -> Section | None:
    """The way to the agreement, or when it begins; None for other kinds of partnership."""
    if partnership.kind_id != KIND:
        return None
    has_begun = bool(count_for(_of, user, partnership.pk))
    if not has_begun and partnership.is_over:
        return None
    return Section("nominations/_section.html", {"partnership": partnership, "has_begun": has_begun})


def _of(user: User, partnership: int) -> QuerySet[NominationsAgreement]:
    return NominationsAgreement.objects.visible_to(user).filter(partnership=partnership)
