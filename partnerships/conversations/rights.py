"""The rights of a person over a conversation, a progress report or the meetings of a partnership (docs/rights.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from partnerships.agreements.models import LEADING_ROLES, Partnership, PartyRole
from partnerships.conversations.models import Conversation, MeetingSeat, Report
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import Roles, roles_of
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of a person over a conversation."""

    conversation: Conversation
    #: The sides for which the person is an editor or lead.
    sides: tuple[Organisation, ...]
    #: Ids of the sides that have agreed to the record.
    agreed: frozenset[int]

    @property
    def keeps(self) -> bool:
        """Whether the person edits for the organisation that keeps the record."""
        return any(side.pk == self.conversation.organisation_id for side in self.sides)

    @property
    def edits(self) -> bool:
        """Whether the person edits for a side."""
        return bool(self.sides)

    @property
    def other_sides(self) -> tuple[Organisation, ...]:
        """The sides for which the person edits, except the organisation that keeps the record."""
        return tuple(side for side in self.sides if side.pk != self.conversation.organisation_id)

    @property
    def may_edit(self) -> bool:
        """Whether the person may change the record."""
        return self.keeps and self.conversation.is_editable

    @property
    def may_circulate(self) -> bool:
        """Whether the person may circulate the draft."""
        return self.keeps and self.conversation.is_draft

    @property
    def may_cancel(self) -> bool:
        """Whether the person may cancel a planned conversation."""
        return self.keeps and self.conversation.is_planned

    @property
    def may_correct(self) -> bool:
        """Whether the person may suggest a correction."""
        return bool(self.other_sides) and self.conversation.is_open_for_correction

    @property
    def may_answer(self) -> bool:
        """Whether the person may answer corrections."""
        return self.keeps and self.conversation.is_open_for_correction

    @property
    def to_agree_for(self) -> tuple[Organisation, ...]:
        """The sides for which the person may still agree to the record."""
        if not self.conversation.is_open_for_correction:
            return ()
        return tuple(side for side in self.sides if side.pk not in self.agreed)

    @property
    def may_note(self) -> bool:
        """Whether the person may write a private note."""
        return self.edits


def rights_over(conversation: Conversation, person: User, now: dt.datetime) -> Rights:
    """The rights of a person over a conversation, on the day of `now`."""
    sides = list(conversation.sides.select_related("organisation").order_by("pk"))
    edited_ids = roles_of(person, now).edited_among([side.organisation_id for side in sides])
    return Rights(
        conversation=conversation,
        sides=tuple(side.organisation for side in sides if side.organisation_id in edited_ids),
        agreed=frozenset(side.organisation_id for side in sides if side.agreed_at is not None),
    )


@dataclass(frozen=True, slots=True)
class ReportRights:
    """The rights of a person over a progress report."""

    report: Report
    #: The id of the organisation whose report it is.
    author: int
    #: Whether this organisation takes part, and not as an observer.
    reports: bool
    #: Ids of the present chair's organisation and of lead organisations.
    leading: frozenset[int]
    roles: Roles

    @property
    def acts(self) -> bool:
        """Whether the person acts for the organisation whose report it is, and so may read its draft."""
        return self.roles.act_for(self.author)

    @property
    def may_write(self) -> bool:
        """Whether the person may write and submit the report: editors and leads of its organisation."""
        return self.reports and self.roles.edit_for(self.author)

    @property
    def decides_for(self) -> frozenset[int]:
        """Ids of the leading organisations for which the person may accept or return the report.

        An organisation decides about its own report only if no other organisation leads.
        """
        other_leading = self.leading - {self.author}
        return self.roles.led_among(other_leading or self.leading)


def report_rights(report: Report, person: User | None, now: dt.datetime) -> ReportRights:
    """The rights of a person (None: the system) over a report, on the day of `now`."""
    party_roles = dict(report.round.partnership.parties.present().values_list("organisation_id", "role"))
    author = report.party.organisation_id
    return ReportRights(
        report=report,
        author=author,
        reports=party_roles.get(author, PartyRole.OBSERVER) != PartyRole.OBSERVER,
        leading=frozenset(pk for pk, role in party_roles.items() if role in LEADING_ROLES),
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
        """Ids of the parties for which the person may plan meetings; observers may not."""
        return self.roles.edited_among([pk for pk, role in self.party_roles.items() if role != PartyRole.OBSERVER])

    def may_edit_for(self, organisation: Organisation | None) -> bool:
        """Whether the person may plan and change meetings and agendas for this party."""
        return organisation is not None and organisation.pk in self.edits_for

    @property
    def may_edit(self) -> bool:
        """Whether the person may plan and change meetings, agendas and attendance."""
        return bool(self.edits_for)

    @property
    def may_set_cycle(self) -> bool:
        """Whether the person may set the meeting cycle: leads of the chair or of a lead organisation."""
        return bool(self.roles.led_among([pk for pk, role in self.party_roles.items() if role in LEADING_ROLES]))

    def may_answer_for(self, seat: MeetingSeat) -> bool:
        """Whether the person may say if the seat's person is coming: for themselves, or as an editor of the party."""
        is_own_seat = seat.person_id is not None and seat.person_id == self.roles.person_id
        if is_own_seat and any(self.roles.act_for(pk) for pk in self.party_roles):
            return True
        return seat.organisation_id in self.party_roles and self.roles.edit_for(seat.organisation_id)


def rights_over_meetings(partnership: Partnership, person: User, now: dt.datetime) -> MeetingRights:
    """The rights of a person over the meetings of a partnership, on the day of `now`."""
    party_roles = dict(partnership.parties.present().values_list("organisation_id", "role"))
    return MeetingRights(partnership=partnership, party_roles=party_roles, roles=roles_of(person, now))
