"""Ask parties that joined later to sign the version in force."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party, TermsSignatory, TermsSignature
from partnerships.agreements.queries.terms import not_bound, version_to_join
from partnerships.agreements.services.recording import lock_partnership
from partnerships.agreements.services.terms.asking import ask_to_sign, stop_asking
from partnerships.people.models import User


def ask_joiners(partnership: Partnership, *, author: User | None, now: dt.datetime) -> int:
    """Ask parties that have not signed the terms in force; returns how many.

    When another version comes into force, they are asked for that one instead. A party that declined is not asked
    again for the same version. Call with the partnership locked.
    """
    today = timezone.localdate(now)
    version = version_to_join(partnership, today)
    if version is None or partnership.is_over_on(today):
        return 0
    missing = not_bound(partnership, today)
    already_asked = set()
    requests = TermsSignatory.objects.filter(joins=True, removed_at=None, version__partnership=partnership)
    decided = TermsSignature.objects.filter(version=OuterRef("version"), organisation=OuterRef("organisation"))
    for signatory in requests.filter(~Exists(decided)).select_related("version", "organisation").order_by("pk"):
        if signatory.version_id == version.pk and signatory.organisation_id in missing:
            already_asked.add(signatory.organisation_id)
        else:
            stop_asking(signatory, now=now)
    declined = set(version.signatures.values_list("organisation", flat=True))
    new = sorted(missing - already_asked - declined)
    for organisation_id in new:
        ask_to_sign(version, organisation_id, author=author, sender=None, now=now, joins=True)
    return len(new)


def ask_joined_parties(*, now: dt.datetime) -> int:
    """Ask parties that joined after terms were signed; returns how many.

    Joining asks by itself; this finds parties that joined before it did. May run twice.
    """
    on_it = {"version": OuterRef("partnership__terms_version"), "organisation": OuterRef("organisation")}
    unsigned = (
        Party.objects.required()
        .present()
        .filter(partnership__in=Partnership.objects.live(), partnership__terms_version__isnull=False)
        .exclude(Exists(TermsSignature.objects.filter(**on_it)))
        .exclude(Exists(TermsSignatory.objects.filter(**on_it, joins=True, removed_at=None)))
    )
    partnerships = unsigned.order_by("partnership").values_list("partnership", flat=True).distinct()
    return sum(_ask(pk, now) for pk in partnerships)


@transaction.atomic
def _ask(pk: int, now: dt.datetime) -> int:
    return ask_joiners(lock_partnership(pk), author=None, now=now)
