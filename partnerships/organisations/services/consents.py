"""Record that somebody consents to handovers, or refuses to."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.organisations.models import AcceptedPart, Handover, HandoverState
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.handovers import UnableToHandOverLines
from partnerships.people.models import User

#: How long the evidence of a line may be.
_MAX_EVIDENCE = 300


#: The journal's name for a consent that was recorded.
CONSENT = "consent"
#: The evidence after a restore, since the journal has no words.
_AS_JOURNALLED = "Recorded before a backup was restored; ask who recorded it where it can be read"


def consent_identity(line: Handover) -> str:
    """The journal's hash of what never changes about a handover line."""
    return journal.identity(line.pk, line.predecessor_id, line.kind, line.record, line.consent, line.proposed_at)


def record_again(line: Handover, *, given_on: dt.date, recorded_by: int | None, recorded_at: dt.datetime) -> None:
    """Record a consent that the journal has and the restored database lacks, as given by those the line names."""
    line.consent_from, line.consent_on = line.consent[:200], given_on
    line.evidence = "; ".join(filter(None, (line.evidence, _AS_JOURNALLED)))[:_MAX_EVIDENCE]
    line.consent_recorded_by = User.objects.filter(pk=recorded_by or 0).first()
    line.consent_recorded_at = recorded_at
    line.save(update_fields=["consent_from", "consent_on", "evidence", "consent_recorded_by", "consent_recorded_at"])


@transaction.atomic
def record_consent(
    *,
    lines: Collection[Handover],
    given_by: str,
    given_on: dt.date,
    evidence: str,
    author: User | None,
    now: dt.datetime,
) -> int:
    """Record the consent that these lines need.

    Returns how many. What was accepted then passes on. Evidence that a line has already stays beside it. Leads of the
    predecessor or of the successor that keeps the record, and administrators. Raises `UnableToHandOverLines`.
    """
    lacking = _lock_lacking(lines, author, now)
    given_by, evidence = given_by.strip(), evidence.strip()
    if not given_by or not evidence:
        raise UnableToHandOverLines("Say who gave the consent and where it can be read.")
    if given_on > timezone.localdate(now):
        raise UnableToHandOverLines("Consent cannot have been given after today.")
    alike: dict[str, list[int]] = defaultdict(list)
    for line in lacking:
        alike["; ".join(filter(None, (line.evidence, evidence)))].append(line.pk)
    if any(len(said) > _MAX_EVIDENCE for said in alike):
        raise UnableToHandOverLines("Give the evidence in fewer words: it is added to what the line already says.")
    facts = [
        {
            "handover": line.pk,
            "same": consent_identity(line),
            "on": given_on.isoformat(),
            "by": author.pk if author else None,
        }
        for line in lacking
    ]
    journal.note_all(CONSENT, facts, now=now)
    for said, pks in alike.items():
        Handover.objects.filter(pk__in=pks).update(
            consent_from=given_by,
            consent_on=given_on,
            evidence=said,
            consent_recorded_by=author,
            consent_recorded_at=now,
        )
    return len(lacking)


@transaction.atomic
def record_refusal(*, lines: Collection[Handover], reason: str, author: User | None, now: dt.datetime) -> int:
    """Record that the consent that these lines need is refused.

    Returns how many. They are disputed then, even if they were accepted, and the predecessor proposes again. The same
    people record it as record a consent. Raises `UnableToHandOverLines`.
    """
    lacking = _lock_lacking(lines, author, now)
    if not reason.strip():
        raise UnableToHandOverLines("Say who refused the consent, and why.")
    pks = [line.pk for line in lacking]
    AcceptedPart.objects.filter(handover__in=pks).delete()
    Handover.objects.filter(pk__in=pks).update(
        state=HandoverState.DISPUTED,
        dispute=f"Consent was refused: {reason.strip()}",
        answered_by=author,
        answered_at=now,
    )
    return len(lacking)


def _lock_lacking(lines: Collection[Handover], author: User | None, now: dt.datetime) -> list[Handover]:
    """The lines, locked. The author must lead one side of each, or be an administrator."""
    roles = roles_of(author, now)
    waiting = Handover.objects.select_for_update().filter(pk__in=[line.pk for line in lines])
    lines_found = list(waiting.lacking_consent().order_by("pk"))
    for sides in {(line.predecessor_id, line.successor_id) for line in lines_found}:
        require(roles.keeps_directory or any(roles.lead(pk) for pk in sides))
    if not lines_found or len(lines_found) < len(lines):
        raise UnableToHandOverLines("Consent to some of these has already been recorded. Look at the list again.")
    return lines_found
