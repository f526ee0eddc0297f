"""Email the leads of successors about handover lines that they have to answer."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from partnerships.organisations.models import Handover, HandoverState, Membership, Role, Succession
from partnerships.outbox.services import record_emails

#: Leads are emailed once nothing new has been proposed to their organisation for this time, so that a morning's
#: proposals make one email.
QUIET = dt.timedelta(minutes=15)


@transaction.atomic
def email_proposals(*, now: dt.datetime) -> int:
    """Email the leads of successors about proposed lines, and return the number of people who were emailed.

    Each person receives one email about all lines. Lines for an organisation without a lead are emailed once it has a
    lead. This function can be called again at any time.
    """
    open_lines = Handover.objects.filter(state=HandoverState.PROPOSED, succession__in=Succession.objects.live())
    untold_lines = open_lines.filter(told_at=None)
    organisation_ids = _successor_ids(untold_lines)
    quiet_ids = organisation_ids - _successor_ids(open_lines.filter(proposed_at__gt=now - QUIET))
    leads = Membership.objects.current(timezone.localdate(now)).filter(role=Role.LEAD, organisation__in=quiet_ids)
    lead_and_organisation_ids = list(leads.filter(person__is_active=True).values_list("person", "organisation"))
    ready_ids = {organisation_id for _, organisation_id in lead_and_organisation_ids}

    # All organisations that share a line must be ready. Lines are locked in the same order as when they are answered. A
    # line that is proposed again in the meantime is emailed separately.
    due_query = (
        untold_lines.filter(successor__in=ready_ids).exclude(others__in=organisation_ids - ready_ids).order_by("pk")
    )
    due_lines = list(due_query.select_for_update(of=("self",)).prefetch_related("others"))
    if not due_lines:
        return 0

    succession_ids_by_organisation = _succession_ids_by_organisation(due_lines)
    succession_ids_by_person: dict[int, set[int]] = defaultdict(set)
    for person_id, organisation_id in lead_and_organisation_ids:
        if organisation_id in succession_ids_by_organisation:
            succession_ids_by_person[person_id] |= succession_ids_by_organisation[organisation_id]
    _record_proposal_emails(succession_ids_by_person, now)
    Handover.objects.filter(pk__in=[line.pk for line in due_lines]).update(told_at=now)
    return len(succession_ids_by_person)


def _succession_ids_by_organisation(due_lines: Iterable[Handover]) -> Mapping[int, set[int]]:
    """Return the ids of the successions with due lines for each organisation that has to answer them.

    Lines that are not due yet are left out. A line for another organisation that still has no lead must not be emailed
    each time.
    """
    succession_ids_by_organisation: dict[int, set[int]] = defaultdict(set)
    for line in due_lines:
        for organisation_id in (line.successor_id, *(other.pk for other in line.others.all())):
            succession_ids_by_organisation[organisation_id].add(line.succession_id)
    return succession_ids_by_organisation


def _record_proposal_emails(succession_ids_by_person: Mapping[int, set[int]], now: dt.datetime) -> None:
    """Record emails, with one call for all people who must answer lines of the same successions."""
    person_ids_by_successions: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for person_id, succession_ids in succession_ids_by_person.items():
        person_ids_by_successions[tuple(sorted(succession_ids))].append(person_id)
    for succession_ids_of_group, person_ids in sorted(person_ids_by_successions.items()):
        record_emails(
            kind="organisations.handover_proposed",
            people=person_ids,
            params={"successions": list(succession_ids_of_group)},
            now=now,
        )


def _successor_ids(lines: QuerySet[Handover]) -> set[int]:
    """Return the ids of the organisations to which lines were proposed."""
    return {*lines.values_list("successor", flat=True), *lines.exclude(others=None).values_list("others", flat=True)}
