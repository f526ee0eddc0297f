"""What a person may do with a round of a survey (docs/rights.md)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from partnerships.agreements.models import Partnership
from partnerships.agreements.rights import Rights as PartnershipRights
from partnerships.agreements.rights import rights_over as rights_inside
from partnerships.organisations.models import Membership
from partnerships.people.models import User
from partnerships.surveys.models import Round


@dataclass(frozen=True, slots=True)
class Rights:
    """Rights of one person over the surveys of one partnership now."""

    inside: PartnershipRights

    @property
    def reads(self) -> bool:
        """Whether they read rounds and published results: people of present parties."""
        return self.inside.roles.is_system or any(self.inside.roles.act_for(pk) for pk in self.inside.present)

    @property
    def may_run(self) -> bool:
        """Whether they may prepare, open and end rounds: leads of present parties, except observers."""
        return self.inside.roles.is_system or bool(self.inside.proposes_for)

    @property
    def may_act(self) -> bool:
        """Whether they may link actions to results: editors and leads of present parties, except observers."""
        return self.inside.may_keep_objectives


def rights_over(partnership: Partnership, person: User | None, now: dt.datetime) -> Rights:
    """The person's rights over the surveys of a partnership (None: the system)."""
    return Rights(rights_inside(partnership, person, now))


def is_outside(person: User, partnership: Partnership) -> bool:
    """Whether a person is outside all parties, past and present: only such a person may moderate."""
    of_parties = Membership.objects.filter(person=person, organisation__parties__partnership=partnership)
    return not of_parties.exists()


def may_moderate(found: Round, person: User) -> bool:
    """Whether they read the comments of a closed round: the moderator named before it opened, while still outside."""
    return Round.objects.moderated_by(person).filter(pk=found.pk).exists()
