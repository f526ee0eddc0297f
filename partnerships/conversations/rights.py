"""What a person may do with a conversation or a progress report (docs/rights.md).

Editors and leads act for their own side.
"""

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
    """Rights of one person over one conversation now.

    `sides` are those that they edit for.
    """

    conversation: Conversation
    sides: tuple[Organisation, ...]
    agreed: frozenset[int]

    @property
    def keeps(self) -> bool:
        """Whether they edit for the organisation that keeps the record."""
        return any(side.pk == self.conversation.organisation_id for side in self.sides)

    @property
    def edits(self) -> bool:
        """Whether they edit for any side."""
        return bool(self.sides)

    @property
    def other_sides(self) -> tuple[Organisation, ...]:
        """Sides they edit for, except the keeper."""
        return tuple(side for side in self.sides if side.pk != self.conversation.organisation_id)

    @property
    def may_edit(self) -> bool:
        """Whether they may change the record."""
        return self.keeps and self.conversation.is_editable

    @property
    def may_circulate(self) -> bool:
        """Whether they may circulate the draft."""
        return self.keeps and self.conversation.is_draft

    @property
    def may_cancel(self) -> bool:
        """Whether they may cancel a planned conversation."""
        return self.keeps and self.conversation.is_planned

    @property
    def may_correct(self) -> bool:
        """Whether they may suggest a correction."""
        return bool(self.other_sides) and self.conversation.is_open_for_correction

    @property
    def may_answer(self) -> bool:
        """Whether they may answer corrections."""
        return self.keeps and self.conversation.is_open_for_correction

    @property
    def to_agree_for(self) -> tuple[Organisation, ...]:
        """Sides for which they may still agree."""
        if not self.conversation.is_open_for_correction:
            return ()
        return tuple(side for side in self.sides if side.pk not in self.agreed)

    @property
    def may_note(self) -> bool:
        """Whether they may write a private note."""
        return self.edits


def rights_over(conversation: Conversation, person: User, now: dt.datetime) -> Rights:
    """Rights of the person on the day of `now`."""
    sides = list(conversation.sides.select_related("organisation").order_by("pk"))
    edited = roles_of(person, now).edited_among([side.organisation_id for side in sides])
    return Rights(
        conversation,
        sides=tuple(side.organisation for side in sides if side.organisation_id in edited),
        agreed=frozenset(side.organisation_id for side in sides if side.agreed_at is not None),
    )


@dataclass(frozen=True, slots=True)
class ReportRights:
    """Rights of one person over one progress report now.

    `reports` says whether its party takes part and is no observer; `leading` are the ids of the present chair's and
    lead organisations.
    """

    report: Report
    author: int
    reports: bool
    leading: frozenset[int]
    roles: Roles

    @property
    def acts(self) -> bool:
        """Whether they act for its party, and so may read its draft."""
        return self.roles.act_for(self.author)

    @property
    def may_write(self) -> bool:
        """Whether they may write and submit it: editors and leads of its party."""
        return self.reports and self.roles.edit_for(self.author)

    @property
    def decides_for(self) -> frozenset[int]:
        """The leading organisations for which they may accept or return it.

        Its own party may only where nobody else leads.
        """
        others = self.leading - {self.author}
        return self.roles.led_among(others or self.leading)


def report_rights(report: Report, person: User | None, now: dt.datetime) -> ReportRights:
    """Rights of the person (None: the system) on the day of `now`."""
    parties = report.round.partnership.parties.present().values_list("organisation_id", "role")
    present = dict(parties)
    author = report.party.organisation_id
    return ReportRights(
        report,
        author=author,
        reports=present.get(author, PartyRole.OBSERVER) != PartyRole.OBSERVER,
        leading=frozenset(pk for pk, role in present.items() if role in LEADING_ROLES),
        roles=roles_of(person, now),
    )


@dataclass(frozen=True, slots=True)
class MeetingRights:
    """Rights of one person over the meetings of one partnership now.

    `present` are the roles of its present parties, by organisation id.
    """

    partnership: Partnership
    present: Mapping[int, str]
    roles: Roles

    @property
    def edits_for(self) -> frozenset[int]:
        """Parties for which they plan meetings: not observers."""
        return self.roles.edited_among([pk for pk, role in self.present.items() if role != PartyRole.OBSERVER])

    def may_edit_for(self, organisation: Organisation | None) -> bool:
        """Whether they may plan and change meetings, and their agendas, for this party."""
        return organisation is not None and organisation.pk in self.edits_for

    @property
    def may_edit(self) -> bool:
        """Whether they may plan and change meetings, agendas and attendance."""
        return bool(self.edits_for)

    @property
    def may_set_cycle(self) -> bool:
        """Whether they may set the meeting cycle.

        Leads of the chair or of a lead organisation may.
        """
        return bool(self.roles.led_among([pk for pk, role in self.present.items() if role in LEADING_ROLES]))

    def may_answer_for(self, seat: MeetingSeat) -> bool:
        """Whether they may say if somebody comes: themselves, or editors of the party."""
        own = seat.person_id is not None and seat.person_id == self.roles.person_id
        takes_part = any(self.roles.act_for(pk) for pk in self.present)
        return (own and takes_part) or (
            seat.organisation_id in self.present and self.roles.edit_for(seat.organisation_id)
        )


def rights_over_meetings(partnership: Partnership, person: User, now: dt.datetime) -> MeetingRights:
    """Rights over its meetings on the day of `now`."""
    present = partnership.parties.present().values_list("organisation_id", "role")
    return MeetingRights(partnership, dict(present), roles_of(person, now))
