"""Ask parties that joined a partnership after its terms were signed to sign the version in force."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party, TermsSignatory, TermsSignature
from partnerships.agreements.queries.terms import unbound_organisation_ids, version_to_join
from partnerships.agreements.services.recording import lock_partnership
from partnerships.agreements.services.terms.asking import ask_to_sign, stop_asking
from partnerships.people.models import User


def ask_joiners(partnership: Partnership, *, author: User | None, now: dt.datetime) -> int:
    """Ask parties that have not signed the terms in force to sign them, and return how many were newly asked.

    For example, a party that joined under version 1 has not signed yet when version 2 comes into force. Its request for
    version 1 ends, and it is asked to sign version 2. A party that declined a version is not asked to sign that version
    again. Call with the partnership locked.
    """
    today = timezone.localdate(now)
    version = version_to_join(partnership, today)
    if version is None or partnership.is_over_on(today):
        return 0
    unsigned_ids = unbound_organisation_ids(partnership, today)

    already_asked_ids = set()
    for signatory in _open_requests(partnership):
        if signatory.version_id == version.pk and signatory.organisation_id in unsigned_ids:
            already_asked_ids.add(signatory.organisation_id)
        else:
            stop_asking(signatory, now=now)

    decided_ids = set(version.signatures.values_list("organisation", flat=True))
    ids_to_ask = unsigned_ids - already_asked_ids - decided_ids
    for organisation_id in sorted(ids_to_ask):
        ask_to_sign(version, organisation_id, author=author, sender=None, now=now, joins=True)
    return len(ids_to_ask)


def _open_requests(partnership: Partnership) -> QuerySet[TermsSignatory]:
    """Return the requests to parties that joined later and have neither signed nor declined."""
    decisions = TermsSignature.objects.filter(version=OuterRef("version"), organisation=OuterRef("organisation"))
    requests = TermsSignatory.objects.filter(
        ~Exists(decisions), joins=True, removed_at=None, version__partnership=partnership
    )
    return requests.select_related("version", "organisation").order_by("pk")


def ask_joined_parties(*, now: dt.datetime) -> int:
    """Ask parties that joined after terms were signed but were never asked, and return how many were asked.

    A party that joins now is asked as soon as it accepts its invitation. This job is for parties that joined before the
    site asked such parties. Safe to run twice.
    """
    current_version = {"version": OuterRef("partnership__terms_version"), "organisation": OuterRef("organisation")}
    unasked_parties = (
        Party.objects.required_to_sign()
        .accepted()
        .filter(partnership__in=Partnership.objects.live(), partnership__terms_version__isnull=False)
        .exclude(Exists(TermsSignature.objects.filter(**current_version)))
        .exclude(Exists(TermsSignatory.objects.filter(**current_version, joins=True, removed_at=None)))
    )
    partnership_ids = unasked_parties.order_by("partnership").values_list("partnership", flat=True).distinct()
    return sum(_ask_joiners_of(pk, now) for pk in partnership_ids)


@transaction.atomic
def _ask_joiners_of(partnership_id: int, now: dt.datetime) -> int:
    """Lock one partnership, and ask its parties that have not signed the terms in force."""
    return ask_joiners(lock_partnership(partnership_id), author=None, now=now)
