"""The state of each signature of a plan, and which decisions count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from partnerships.organisations.models import Organisation, Role
from partnerships.people.models import User
from partnerships.plans.models import Audience, Plan, PlanOwner, Signatory, SignOff, Version
from partnerships.plans.queries.owners import taking_part


@dataclass(frozen=True, slots=True)
class SigningState:
    """The state of one signatory.

    `sign_off` is its decision that counts for the present version, `earlier` its last decision before that.
    """

    signatory: Signatory
    sign_off: SignOff | None
    earlier: SignOff | None
    takes_part: bool = True

    @property
    def code(self) -> str:
        """approved, met, left, conditional, rejected, lapsed, again or waiting."""
        if self.has_approved:
            return "met" if self.sign_off is not None and self.sign_off.is_conditional else "approved"
        if not self.takes_part:
            return "left"
        if self.sign_off is not None:
            return self.sign_off.decision
        if self.signatory.plan.is_awaiting_sign_off and self.signatory.has_lapsed():
            return "lapsed"
        return "again" if self.earlier else "waiting"

    @property
    def has_approved(self) -> bool:
        """Whether it approved, and its condition, if any, is met."""
        if self.sign_off is None or self.sign_off.is_rejected:
            return False
        return not self.sign_off.is_conditional or hasattr(self.sign_off, "condition_met")

    def may_decide_on(self, number: int) -> bool:
        """Whether it may decide on the newest version, with that number.

        Once, or again after a rejection.
        """
        if not self.takes_part:
            return False
        return self.sign_off is None or (self.sign_off.is_rejected and self.sign_off.version.number < number)

    @property
    def words(self) -> str:
        """The state in words."""
        return {
            "approved": "Approved",
            "met": "Approved, condition met",
            "left": "No longer takes part",
            "conditional": "Condition not met yet",
            "rejected": "Rejected",
            "lapsed": "Lapsed, not decided",
            "again": "Must sign again",
            "waiting": "Not decided yet",
        }[self.code]

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is needed from it: it approved, or it left."""
        return self.code in ("approved", "met", "left")

    @property
    def must_decide(self) -> bool:
        """Whether it takes part and has not decided on the present version."""
        return self.sign_off is None and self.takes_part


def signing_states(plan: Plan) -> list[SigningState]:
    """The state of every required signatory of a plan, by name."""
    return signing_states_of([plan])[plan.pk]


def signing_states_of(plans: Sequence[Plan]) -> dict[int, list[SigningState]]:
    """The states of the required signatories of each plan, by name.

    A decision counts for the present version when every version after the one decided on is minor.
    """
    by_pk = {plan.pk: plan for plan in plans}
    decisions: dict[tuple[int, int], SignOff] = {}
    older: dict[tuple[int, int], SignOff] = {}
    sign_offs = (
        SignOff.objects.filter(plan__in=by_pk)
        .select_related("version", "person", "organisation", "condition_met")
        .defer("version__content", "version__prose")
        .order_by("version__number", "pk")
    )
    for sign_off in sign_offs:
        counts = sign_off.version.number >= by_pk[sign_off.plan_id].substantive_number
        (decisions if counts else older)[sign_off.plan_id, sign_off.organisation_id] = sign_off
    states: dict[int, list[SigningState]] = {pk: [] for pk in by_pk}
    required = Signatory.objects.filter(plan__in=by_pk, removed_at=None).select_related("organisation")
    for signatory in required.annotate(takes_part=still_takes_part()).order_by("organisation__name", "pk"):
        signatory.plan = by_pk[signatory.plan_id]
        key = signatory.plan_id, signatory.organisation_id
        states[signatory.plan_id].append(
            SigningState(signatory, decisions.get(key), older.get(key), signatory.takes_part)
        )
    return states


def decisions_for(version: Version) -> list[SignOff]:
    """Each organisation's last decision that counts for this version.

    It was made on this version, or on one since which all versions are minor.
    """
    substantive = (
        Version.objects.filter(plan=version.plan_id, number__lte=version.number, minor=False)
        .order_by("-number")
        .values_list("number", flat=True)
        .first()
    )
    made = (
        SignOff.objects.filter(
            plan=version.plan_id, version__number__gte=substantive or 0, version__number__lte=version.number
        )
        .select_related("version", "person", "organisation", "condition_met")
        .defer("version__content", "version__prose")
        .order_by("version__number", "pk")
    )
    last = {sign_off.organisation_id: sign_off for sign_off in made}
    return sorted(last.values(), key=lambda sign_off: (sign_off.organisation.name, sign_off.pk))


def still_takes_part() -> Q:
    """The condition on signatories that still own or may read the plan.

    Observers, and organisations that left, do not sign.
    """
    body = OuterRef("organisation")
    owner = Exists(PlanOwner.objects.filter(plan=OuterRef("plan"), organisation=body))
    party = Exists(taking_part().filter(partnership=OuterRef("plan__partnership"), organisation=body))
    return Q(owner) | (Q(party) & ~Q(plan__audience=Audience.OWNERS))


def number_to_sign(plan: Plan) -> int:
    """The number of the version to sign: the newest that is not under embargo.

    0 if there is none.
    """
    return plan.announced_number


def organisations_led_by(person: User, plan: Plan) -> list[Organisation]:
    """The organisations asked to sign for which the person speaks."""
    asked = plan.signatories.filter(removed_at=None).values("organisation")
    return list(Organisation.objects.of_person(person, Role.LEAD).filter(pk__in=asked).order_by("name", "pk"))


def asked_again(plan: Plan) -> list[SigningState]:
    """Those asked before who are asked again when sign-off is asked for.

    While the plan waits, nobody is.
    """
    return [] if plan.is_awaiting_sign_off else [state for state in signing_states(plan) if state.must_decide]
