"""The rights of a person over the surveys of a partnership, and over one round (docs/rights.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.agreements.rights import Rights as PartnershipRights
from partnerships.agreements.rights import rights_over as rights_inside
from partnerships.organisations.models import Membership
from partnerships.people.models import User
from partnerships.surveys.models import Invitation, Round
from partnerships.surveys.queries.rounds import partnerships_of


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of one person over the surveys of a partnership, or over a round that several partnerships run.

    `host_rights` are the rights in the partnership that prepared the round, and `joined_rights` those in the
    partnerships that joined it.
    """

    host_rights: PartnershipRights
    joined_rights: Sequence[PartnershipRights] = ()

    @property
    def reads(self) -> bool:
        """Return whether the person reads rounds and published results, as all people of present parties do."""
        return self.host_rights.roles.is_system or any(_takes_part(rights) for rights in self._all)

    @property
    def may_run(self) -> bool:
        """Return whether the person may prepare, open and end rounds.

        Leads of present parties may, except observers.
        """
        return self.host_rights.roles.is_system or bool(self.host_rights.proposes_for)

    @property
    def may_invite(self) -> bool:
        """Return whether the person may add people to the list.

        Leads of partnerships that joined the round may also do so.
        """
        return self.host_rights.roles.is_system or any(rights.proposes_for for rights in self._all)

    @property
    def may_act(self) -> bool:
        """Return whether the person may link actions to results.

        Editors and leads of present parties may, except observers.
        """
        return any(rights.may_edit_objectives for rights in self._all)

    @property
    def may_act_in(self) -> Partnership | None:
        """Return the first partnership in which the person may link actions to results, or None."""
        return next((rights.partnership for rights in self._all if rights.may_edit_objectives), None)

    @property
    def own_partnership(self) -> Partnership:
        """Return the first partnership of the round in which the person takes part, or else the host."""
        own_partnerships = (rights.partnership for rights in self._all if _takes_part(rights))
        return next(own_partnerships, self.host_rights.partnership)

    @property
    def partnerships(self) -> list[Partnership]:
        """Return the partnerships that run the round. The first is the one that prepared it."""
        return [rights.partnership for rights in self._all]

    @property
    def _all(self) -> tuple[PartnershipRights, ...]:
        """Return the person's rights in each partnership that runs the round, the host first."""
        return (self.host_rights, *self.joined_rights)


def _takes_part(rights: PartnershipRights) -> bool:
    """Return whether the person acts for a present party of the partnership."""
    return any(rights.roles.acts_for(organisation_id) for organisation_id in rights.present)


def rights_over(partnership: Partnership, person: User | None, now: dt.datetime) -> Rights:
    """Return the person's rights over the surveys of a partnership. For the system, `person` is None."""
    return Rights(rights_inside(partnership, person, now))


def rights_in(survey_round: Round, person: User | None, now: dt.datetime) -> Rights:
    """Return the person's rights over a round, which several partnerships may run together."""
    host, *joined = partnerships_of(survey_round)
    return Rights(rights_inside(host, person, now), [rights_inside(joining, person, now) for joining in joined])


def invitations_to_withdraw(survey_round: Round, person: User | None, now: dt.datetime) -> QuerySet[Invitation]:
    """Return the invitations that the person may remove from a draft.

    People who may run the round may remove all. A lead in a partnership that joined may remove those that were added by
    people in the organisations that they lead.
    """
    rights = rights_in(survey_round, person, now)
    if rights.may_run:
        return survey_round.invitations.all()
    led_organisations: set[int] = set()
    for joined in rights.joined_rights:
        led_organisations.update(joined.proposes_for)
    colleagues = Membership.objects.current(timezone.localdate(now)).filter(organisation__in=led_organisations)
    return survey_round.invitations.filter(invited_by__in=colleagues.values("person"))


def is_outside(person: User, partnerships: Collection[Partnership]) -> bool:
    """Return whether a person is outside all parties, past and present. Only then may they moderate."""
    partnership_ids = [partnership.pk for partnership in partnerships]
    return not Membership.objects.filter(person=person, organisation__parties__partnership__in=partnership_ids).exists()


def may_moderate(survey_round: Round, person: User) -> bool:
    """Return whether the person may read the comments of a closed round before others do.

    Only its moderator may, as long as they do not belong to any of the parties.
    """
    return Round.objects.moderated_by(person).filter(pk=survey_round.pk).exists()


def may_agree(survey_round: Round, person: User) -> bool:
    """Return whether the person has been asked to read the comments of a draft, and has not answered."""
    return Round.objects.asking_to_moderate(person).filter(pk=survey_round.pk).exists()
