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
    """The next step of a partnership, and the organisations whose turn it is."""

    #: Names of the organisations that must act.
    organisations: str
    #: A command for the reader or, for other readers, the end of a sentence that begins "Waiting for X".
    step: str
    #: Whether the reader's organisation must act.
    is_readers_turn: bool
    since: dt.datetime | None = None
    #: The page on which the reader can act, and the words of the link to the page.
    href: str = ""
    action: str = ""


class _StepWords(NamedTuple):
    """The words for a next step."""

    #: A command, for people who lead a leading organisation.
    for_leads: str
    #: The end of a sentence that begins "Waiting for X", for all others.
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
        "Hold the review, and decide whether to carry on, renew or end it.",
        "to hold the review, and decide whether to carry on, renew or end it",
    ),
    Status.SUSPENDED: _StepWords("Resume it or end it.", "to resume it or end it"),
}
#: The next step of a partnership under review while its successor is drafted.
_RENEWAL_STEP = _StepWords(
    "Finish the terms of the successor and have them signed.",
    "to finish the terms of the successor and have them signed",
)


def whose_turn(
    partnership: Partnership,
    parties: Iterable[Party],
    *,
    led_organisation_ids: Collection[int],
    successor: Partnership | None = None,
) -> Turn | None:
    """Return the next step of a partnership, or None if no step is due.

    `led_organisation_ids` are the organisations that the reader leads. `successor` is a partnership that renews this
    one and has not ended.
    """
    if partnership.is_over:
        return None
    all_parties = list(parties)
    invited_parties = [party for party in all_parties if party.is_waiting]
    if invited_parties:
        return _invitation_step(partnership, invited_parties, led_organisation_ids)

    leading_parties = [party for party in all_parties if party.is_present and party.is_leading]
    names = ", ".join(party.organisation.name for party in leading_parties)
    reader_leads = any(party.organisation_id in led_organisation_ids for party in leading_parties)

    if successor is not None and partnership.state == Status.UNDER_REVIEW:
        return Turn(
            organisations=names,
            step=_RENEWAL_STEP.for_leads if reader_leads else _RENEWAL_STEP.for_others,
            is_readers_turn=reader_leads,
            since=successor.created_at,
            href=successor.get_absolute_url() if reader_leads else "",
            action="See the successor",
        )
    if reader_leads and partnership.state == Status.EXPLORING and len(all_parties) == 1:
        return Turn(
            organisations=names,
            step="Invite the other organisations.",
            is_readers_turn=True,
            since=partnership.state_since,
            href=reverse("agreements:invite", kwargs={"pk": partnership.pk}),
            action="Invite an organisation",
        )
    return _step_for_status(partnership, names, is_readers_turn=reader_leads)


def _invitation_step(
    partnership: Partnership, invited_parties: Sequence[Party], led_organisation_ids: Collection[int]
) -> Turn:
    """Return the step of answering an invitation.

    It names the organisation that the reader leads, if this is invited, or else all invited organisations.
    """
    own_party = next((party for party in invited_parties if party.organisation_id in led_organisation_ids), None)
    if own_party is not None:
        return Turn(
            organisations=own_party.organisation.name,
            step="Accept or decline the invitation.",
            is_readers_turn=True,
            since=own_party.invited_at,
            href=reverse("agreements:answer", kwargs={"pk": partnership.pk, "party": own_party.pk}),
            action="Answer invitation",
        )
    return Turn(
        organisations=", ".join(party.organisation.name for party in invited_parties),
        step="to accept or decline the invitation",
        is_readers_turn=False,
        since=invited_parties[0].invited_at,
    )


def _step_for_status(partnership: Partnership, names: str, *, is_readers_turn: bool) -> Turn | None:
    """Return the next step of the leading organisations in this status, or None if no step is due."""
    words = _NEXT_STEP.get(partnership.state)
    if words is None:
        return None
    on_terms = partnership.state in (Status.DRAFTING, Status.AWAITING_SIGN_OFF)
    page = "agreements:terms" if on_terms else "agreements:status"
    return Turn(
        organisations=names,
        step=words.for_leads if is_readers_turn else words.for_others,
        is_readers_turn=is_readers_turn,
        since=partnership.state_since,
        href=reverse(page, kwargs={"pk": partnership.pk}) if is_readers_turn else "",
        action="See the terms" if on_terms else "Change status",
    )
