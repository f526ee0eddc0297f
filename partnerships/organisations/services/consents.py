"""Record that a consent to handovers was given or refused."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db import transaction
from django.utils import timezone

from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.organisations.models import AcceptedPart, Handover, HandoverState
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.handovers import UnableToHandOverLines
from partnerships.people.models import User

#: The largest number of characters in a line's evidence.
_MAX_EVIDENCE = 300


#: The kind of journal line about a recorded consent.
CONSENT = "consent"
#: The evidence of a consent that was recorded again after a restore. The journal does not contain the real evidence.
_EVIDENCE_FROM_JOURNAL = (
    "We restored an older backup and recorded this consent again. Ask the person who recorded the consent where people "
    "can read it."
)


def consent_identity(line: Handover) -> str:
    """Return the journal's hash of the fields of a handover line that never change."""
    return journal.identity(line.pk, line.predecessor_id, line.kind, line.record, line.consent, line.proposed_at)


def record_consent_again(
    line: Handover, *, given_on: dt.date, recorded_by: int | None, recorded_at: dt.datetime
) -> None:
    """Record a consent from the journal after a restore, as given by the people that the line names."""
    line.consent_from = line.consent[:200]
    line.consent_on = given_on
    line.evidence = _joined_evidence(line.evidence, _EVIDENCE_FROM_JOURNAL)[:_MAX_EVIDENCE]
    # None if the system recorded the consent, or if the person has been erased since.
    line.consent_recorded_by = User.objects.filter(pk=recorded_by or 0).first()
    line.consent_recorded_at = recorded_at
    line.save(update_fields=["consent_from", "consent_on", "evidence", "consent_recorded_by", "consent_recorded_at"])


def _joined_evidence(existing: str, added: str) -> str:
    """Return the existing and the added evidence, separated by a semicolon."""
    return "; ".join(filter(None, (existing, added)))


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
    """Record the consent that these lines need, so that accepted lines can be applied; return the number of lines.

    The evidence is added to the existing evidence of a line. Administrators may do this, and so may leads of the
    predecessor or of the first successor. Raises `UnableToHandOverLines`.
    """
    locked_lines = _lock_lines_lacking_consent(lines, author, now)
    given_by, evidence = given_by.strip(), evidence.strip()
    if not given_by or not evidence:
        raise UnableToHandOverLines("Enter who gave the consent and where people can read it.")
    if given_on > timezone.localdate(now):
        raise UnableToHandOverLines("Enter today or an earlier day.")
    line_ids_by_evidence = _line_ids_by_evidence(locked_lines, evidence)
    if any(len(full_evidence) > _MAX_EVIDENCE for full_evidence in line_ids_by_evidence):
        raise UnableToHandOverLines("The evidence is too long to add to what a line already says. Shorten it.")

    _journal_consents(locked_lines, given_on=given_on, author=author, now=now)
    for full_evidence, line_ids in line_ids_by_evidence.items():
        Handover.objects.filter(pk__in=line_ids).update(
            consent_from=given_by,
            consent_on=given_on,
            evidence=full_evidence,
            consent_recorded_by=author,
            consent_recorded_at=now,
        )
    return len(locked_lines)


def _line_ids_by_evidence(lines: Iterable[Handover], added: str) -> dict[str, list[int]]:
    """Return the ids of the lines by their evidence with this evidence added.

    Lines with the same text are then saved in one statement.
    """
    line_ids_by_evidence: dict[str, list[int]] = defaultdict(list)
    for line in lines:
        line_ids_by_evidence[_joined_evidence(line.evidence, added)].append(line.pk)
    return line_ids_by_evidence


def _journal_consents(lines: Iterable[Handover], *, given_on: dt.date, author: User | None, now: dt.datetime) -> None:
    """Write to the journal that the consent to these lines was given."""
    facts = [
        {
            "handover": line.pk,
            "same": consent_identity(line),
            "on": given_on.isoformat(),
            "by": author.pk if author else None,
        }
        for line in lines
    ]
    journal.note_all(CONSENT, facts, now=now)


@transaction.atomic
def record_refusal(*, lines: Collection[Handover], reason: str, author: User | None, now: dt.datetime) -> int:
    """Record that the consent to these lines was refused, and return the number of lines.

    The lines become disputed, even if they were accepted, and the predecessor proposes again. People who may record a
    consent may also do this. Raises `UnableToHandOverLines`.
    """
    locked_lines = _lock_lines_lacking_consent(lines, author, now)
    if not reason.strip():
        raise UnableToHandOverLines("Enter who refused the consent, and why.")

    line_ids = [line.pk for line in locked_lines]
    AcceptedPart.objects.filter(handover__in=line_ids).delete()
    Handover.objects.filter(pk__in=line_ids).update(
        state=HandoverState.DISPUTED,
        dispute=f"Consent was refused: {reason.strip()}",
        answered_by=author,
        answered_at=now,
    )
    return len(locked_lines)


def _lock_lines_lacking_consent(lines: Collection[Handover], author: User | None, now: dt.datetime) -> list[Handover]:
    """Lock the lines that lack a consent, check the author's rights, and return the lines.

    The author must lead the predecessor or successor of each line, or be an administrator. Raises
    `UnableToHandOverLines` if some of the lines no longer lack a consent.
    """
    roles = roles_of(author, now)
    lines_to_lock = Handover.objects.select_for_update().filter(pk__in=[line.pk for line in lines])
    locked_lines = list(lines_to_lock.lacking_consent().order_by("pk"))
    for line in locked_lines:
        require(roles.may_change_directory or roles.leads(line.predecessor_id) or roles.leads(line.successor_id))
    if not locked_lines or len(locked_lines) < len(lines):
        raise UnableToHandOverLines(
            "Another person has already recorded the consent to some of the lines you ticked. Reload the page to see "
            "what is left."
        )
    return locked_lines
