"""Find the next step of a partnership, and the organisations that must take this step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.urls import reverse

from partnerships.agreements.models import Partnership, Party, Status


@dataclass(frozen=True, slots=True)
class Turn:
    """The next step of a partnership.

    `what` is a command for the reader or, for other readers, continues "Waiting for X …".
    """

    #: Names of the organisations that must act.
    who: str
    what: str
    #: Whether the reader's organisation must act.
    yours: bool
    since: dt.datetime | None = None
    href: str = ""
    action: str = ""


class _StepWords(NamedTuple):
    """The words for a next step: a command for leads, and what follows "Waiting for X" for others."""

    for_leads: str
    for_others: str


#: The next step of a leading organisation, by status.
_NEXT_STEP = {
    Status.EXPLORING: _StepWords("Decide whether to draft terms.", "to decide whether to draft terms"),
    Status.DRAFTING: _StepWords(
        "Finish the terms and send them for signature.", "to finish the terms and send them for signature"
    ),
    Status.AWAITING_SIGN_OFF: _StepWords(
        "See who still has to sign the terms.", "to get the terms signed by every party"
    ),
    Status.UNDER_REVIEW: _StepWords(
        "Hold the review: carry on, renew or end it.", "to hold the review: carry on, renew or end it"
    ),
    Status.SUSPENDED: _StepWords("Resume it or end it.", "to resume it or end it"),
}
#: The next step of a partnership under review while its successor is drafted.
_RENEWAL_STEP = _StepWords(
    "Finish the terms of the successor and have them signed.",
    "to finish the terms of the successor and have them signed",
)


def whose_turn(
    partnership: Partnership, parties: Iterable[Party], *, mine: Collection[int], successor: Partnership | None = None
) -> Turn | None:
    """Return the next step of a partnership, or None if no step is due.

    `mine` are the ids of the organisations that the reader leads. `successor` is a partnership that renews this one and
    has not ended.
    """
    if partnership.is_over:
        return None
    all_parties = list(parties)
    invited_parties = [party for party in all_parties if party.is_waiting]
    if invited_parties:
        return _invitation_step(partnership, invited_parties, mine)

    leading_parties = [party for party in all_parties if party.is_present and party.is_leading]
    names = ", ".join(party.organisation.name for party in leading_parties)
    reader_leads = any(party.organisation_id in mine for party in leading_parties)

    if successor is not None and partnership.state == Status.UNDER_REVIEW:
        return Turn(
            who=names,
            what=_RENEWAL_STEP.for_leads if reader_leads else _RENEWAL_STEP.for_others,
            yours=reader_leads,
            since=successor.created_at,
            href=successor.get_absolute_url() if reader_leads else "",
            action="See the successor",
        )
    if reader_leads and partnership.state == Status.EXPLORING and len(all_parties) == 1:
        return Turn(
            who=names,
            what="Invite the other organisations.",
            yours=True,
            since=partnership.state_since,
            href=reverse("agreements:invite", kwargs={"pk": partnership.pk}),
            action="Invite an organisation",
        )
    return _step_for_status(partnership, names, yours=reader_leads)


def _invitation_step(partnership: Partnership, invited_parties: Sequence[Party], mine: Collection[int]) -> Turn:
    """Return the step of answering an invitation: that of the reader's organisation, or else those of all others."""
    own_party = next((party for party in invited_parties if party.organisation_id in mine), None)
    if own_party is not None:
        return Turn(
            who=own_party.organisation.name,
            what="Accept or decline the invitation.",
            yours=True,
            since=own_party.invited_at,
            href=reverse("agreements:answer", kwargs={"pk": partnership.pk, "party": own_party.pk}),
            action="Answer invitation",
        )
    return Turn(
        who=", ".join(party.organisation.name for party in invited_parties),
        what="to accept or decline the invitation",
        yours=False,
        since=invited_parties[0].invited_at,
    )


def _step_for_status(partnership: Partnership, names: str, *, yours: bool) -> Turn | None:
    """Return the next step of the leading organisations in this status, or None if no step is due."""
    step = _NEXT_STEP.get(partnership.state)
    if step is None:
        return None
    on_terms = partnership.state in (Status.DRAFTING, Status.AWAITING_SIGN_OFF)
    page = "agreements:terms" if on_terms else "agreements:status"
    return Turn(
        who=names,
        what=step.for_leads if yours else step.for_others,
        yours=yours,
        since=partnership.state_since,
        href=reverse(page, kwargs={"pk": partnership.pk}) if yours else "",
        action="See the terms" if on_terms else "Change status",
    )
