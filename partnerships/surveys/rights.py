"""What a person may do with a round of a survey (docs/rights.md)."""

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
    """Rights of one person over the surveys of one partnership now, or over a round that several run together.

    `joined` are the person's rights in the partnerships that joined the round.
    """

    inside: PartnershipRights
    joined: Sequence[PartnershipRights] = ()

    @property
    def reads(self) -> bool:
        """Whether they read rounds and published results: people of present parties."""
        return any(rights.roles.is_system or any(map(rights.roles.act_for, rights.present)) for rights in self._all)

    @property
    def may_run(self) -> bool:
        """Whether they may prepare, open and end rounds.

        Leads of present parties may, except observers.
        """
        return self.inside.roles.is_system or bool(self.inside.proposes_for)

    @property
    def may_invite(self) -> bool:
        """Whether they may add people to ask.

        People who may run the round may, and leads of partnerships that joined.
        """
        return self.inside.roles.is_system or any(rights.proposes_for for rights in self._all)

    @property
    def may_act(self) -> bool:
        """Whether they may link actions to results.

        Editors and leads of present parties may, except observers.
        """
        return any(rights.may_keep_objectives for rights in self._all)

    @property
    def may_act_in(self) -> Partnership | None:
        """The partnership in which they act on results, this one first.

        None if they may not.
        """
        return next((rights.partnership for rights in self._all if rights.may_keep_objectives), None)

    @property
    def own(self) -> Partnership:
        """The partnership that they belong to, this one first."""
        own_partnerships = (
            rights.partnership for rights in self._all if any(map(rights.roles.act_for, rights.present))
        )
        return next(own_partnerships, self.inside.partnership)

    @property
    def partnerships(self) -> list[Partnership]:
        """The partnerships that run the round, this one first."""
        return [rights.partnership for rights in self._all]

    @property
    def _all(self) -> tuple[PartnershipRights, ...]:
        return (self.inside, *self.joined)


def rights_over(partnership: Partnership, person: User | None, now: dt.datetime) -> Rights:
    """The person's rights over the surveys of a partnership (None: the system)."""
    return Rights(rights_inside(partnership, person, now))


def rights_in(survey_round: Round, person: User | None, now: dt.datetime) -> Rights:
    """The person's rights over a round, which several partnerships may run together."""
    host, *joined = partnerships_of(survey_round)
    return Rights(rights_inside(host, person, now), [rights_inside(joining, person, now) for joining in joined])


def may_withdraw(survey_round: Round, person: User | None, now: dt.datetime) -> QuerySet[Invitation]:
    """The invitations that they may remove from a draft: all if they may run it.

    Leads of partnerships that joined may remove the people whom the parties that they lead there have added.
    """
    rights = rights_in(survey_round, person, now)
    if rights.may_run:
        return survey_round.invitations.all()
    led = {body for joining_rights in rights.joined for body in joining_rights.proposes_for}
    colleagues = Membership.objects.current(timezone.localdate(now)).filter(organisation__in=led)
    return survey_round.invitations.filter(invited_by__in=colleagues.values("person"))


def is_outside(person: User, partnerships: Collection[Partnership]) -> bool:
    """Whether a person is outside all parties, past and present.

    Only such a person may moderate.
    """
    pks = [rights.pk for rights in partnerships]
    return not Membership.objects.filter(person=person, organisation__parties__partnership__in=pks).exists()


def may_moderate(survey_round: Round, person: User) -> bool:
    """Whether they read the comments of a closed round.

    The moderator named before it opened, while still outside.
    """
    return Round.objects.moderated_by(person).filter(pk=survey_round.pk).exists()


def may_agree(survey_round: Round, person: User) -> bool:
    """Whether a draft waits for them to agree to read its comments."""
    return Round.objects.asking(person).filter(pk=survey_round.pk).exists()
