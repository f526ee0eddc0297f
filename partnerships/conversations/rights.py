"""The rights of a person over a conversation, a progress report or the meetings of a partnership (docs/rights.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from partnerships.agreements.models import LEADING_ROLES, Partnership, PartyRole
from partnerships.conversations.models import Conversation, MeetingSeat, Report, Side
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import Roles, roles_of
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of a person over a conversation."""

    conversation: Conversation
    #: The organisations that took part, and for which the person is an editor or lead.
    sides: tuple[Organisation, ...]
    #: Ids of the organisations that have agreed to the record.
    agreed_ids: frozenset[int]

    @property
    def keeps(self) -> bool:
        """Return whether the person edits for the organisation that keeps the record."""
        return any(side.pk == self.conversation.organisation_id for side in self.sides)

    @property
    def edits(self) -> bool:
        """Return whether the person edits for an organisation that took part."""
        return bool(self.sides)

    @property
    def other_sides(self) -> tuple[Organisation, ...]:
        """Return the organisations for which the person edits, except the one that keeps the record."""
        return tuple(side for side in self.sides if side.pk != self.conversation.organisation_id)

    @property
    def may_edit(self) -> bool:
        """Return whether the person may change the record."""
        return self.keeps and self.conversation.is_editable

    @property
    def may_circulate(self) -> bool:
        """Return whether the person may circulate the draft."""
        return self.keeps and self.conversation.is_draft

    @property
    def may_cancel(self) -> bool:
        """Return whether the person may cancel a planned conversation."""
        return self.keeps and self.conversation.is_planned

    @property
    def may_correct(self) -> bool:
        """Return whether the person may suggest a correction."""
        return bool(self.other_sides) and self.conversation.is_open_for_correction

    @property
    def may_answer(self) -> bool:
        """Return whether the person may answer corrections."""
        return self.keeps and self.conversation.is_open_for_correction

    @property
    def to_agree_for(self) -> tuple[Organisation, ...]:
        """Return the organisations for which the person may still agree to the record."""
        if not self.conversation.is_open_for_correction:
            return ()
        return tuple(side for side in self.sides if side.pk not in self.agreed_ids)

    @property
    def may_note(self) -> bool:
        """Return whether the person may write a private note."""
        return self.edits


def rights_over(
    conversation: Conversation, person: User, now: dt.datetime, *, sides: Iterable[Side] | None = None
) -> Rights:
    """Return the rights of a person over a conversation, on the day of `now`.

    `sides` are all sides of the conversation, by id, if the caller has fetched them.
    """
    if sides is None:
        sides = conversation.sides.select_related("organisation").order_by("pk")
    sides = list(sides)
    edited_ids = roles_of(person, now).edited_among([side.organisation_id for side in sides])
    return Rights(
        conversation=conversation,
        sides=tuple(side.organisation for side in sides if side.organisation_id in edited_ids),
        agreed_ids=frozenset(side.organisation_id for side in sides if side.agreed_at is not None),
    )


@dataclass(frozen=True, slots=True)
class ReportRights:
    """The rights of a person over a progress report."""

    report: Report
    #: The id of the organisation whose report it is.
    author_id: int
    #: Whether this organisation takes part and is not an observer, so that it can report.
    can_report: bool
    #: Ids of the chair's organisation and of lead organisations that take part at present.
    leading_ids: frozenset[int]
    roles: Roles

    @property
    def acts(self) -> bool:
        """Return whether the person acts for the organisation whose report it is, and so may read its draft."""
        return self.roles.acts_for(self.author_id)

    @property
    def may_write(self) -> bool:
        """Return whether the person may write and submit the report, as an editor or lead of its organisation."""
        return self.can_report and self.roles.may_edit_for(self.author_id)

    @property
    def decides_for(self) -> frozenset[int]:
        """Return the ids of the leading organisations for which the person may accept or return the report.

        An organisation decides about its own report only if no other organisation leads.
        """
        other_leading_ids = self.leading_ids - {self.author_id}
        return self.roles.led_among(other_leading_ids or self.leading_ids)


def report_rights(report: Report, person: User | None, now: dt.datetime) -> ReportRights:
    """Return the rights of a person over a report, on the day of `now`. The person None is the system."""
    party_roles = dict(report.round.partnership.parties.accepted().values_list("organisation_id", "role"))
    author_id = report.party.organisation_id
    return ReportRights(
        report=report,
        author_id=author_id,
        can_report=party_roles.get(author_id, PartyRole.OBSERVER) != PartyRole.OBSERVER,
        leading_ids=frozenset(pk for pk, role in party_roles.items() if role in LEADING_ROLES),
        roles=roles_of(person, now),
    )


@dataclass(frozen=True, slots=True)
class MeetingRights:
    """The rights of a person over the meetings of a partnership."""

    partnership: Partnership
    #: The roles of present parties, by the ids of their organisations.
    party_roles: Mapping[int, str]
    roles: Roles

    @property
    def edits_for(self) -> frozenset[int]:
        """Return the ids of the parties for which the person may plan meetings. Observers may not plan meetings."""
        party_ids = [pk for pk, role in self.party_roles.items() if role != PartyRole.OBSERVER]
        return self.roles.edited_among(party_ids)

    def may_edit_for(self, organisation: Organisation | None) -> bool:
        """Return whether the person may plan and change meetings and agendas for this party."""
        return organisation is not None and organisation.pk in self.edits_for

    @property
    def may_edit(self) -> bool:
        """Return whether the person may plan and change meetings, agendas and attendance."""
        return bool(self.edits_for)

    @property
    def may_set_cycle(self) -> bool:
        """Return whether the person may set the meeting cycle, as a lead of the chair's or a lead organisation."""
        leading_ids = [pk for pk, role in self.party_roles.items() if role in LEADING_ROLES]
        return bool(self.roles.led_among(leading_ids))

    def may_answer_for(self, seat: MeetingSeat) -> bool:
        """Return whether the person may answer the invitation of this seat.

        People may answer for themselves while they act for a party, and editors may answer for everyone of their party.
        """
        is_own_seat = seat.person_id is not None and seat.person_id == self.roles.person_id
        acts_for_a_party = any(self.roles.acts_for(pk) for pk in self.party_roles)
        if is_own_seat and acts_for_a_party:
            return True
        is_party_seat = seat.organisation_id in self.party_roles
        return is_party_seat and self.roles.may_edit_for(seat.organisation_id)


def rights_over_meetings(partnership: Partnership, person: User, now: dt.datetime) -> MeetingRights:
    """Return the rights of a person over the meetings of a partnership, on the day of `now`."""
    party_roles = dict(partnership.parties.accepted().values_list("organisation_id", "role"))
    return MeetingRights(partnership=partnership, party_roles=party_roles, roles=roles_of(person, now))
