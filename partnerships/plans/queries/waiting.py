"""What a plan is waiting for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from partnerships.plans.models import Plan, Status
from partnerships.plans.queries.owners import owners_of
from partnerships.plans.queries.signing import SigningState, number_to_sign, signing_states


@dataclass(frozen=True, slots=True)
class NextStep:
    """What somebody must do next: who, what, since when and by when."""

    who: str
    what: str
    since: dt.datetime | None = None
    due: dt.date | None = None
    lapsed: bool = False


def next_steps(plan: Plan, states: list[SigningState] | None = None) -> list[NextStep]:
    """What must be done next with the plan, and by which organisation."""
    if plan.is_over:
        return []
    owners = ", ".join(owner.organisation.display_name for owner in owners_of(plan))
    if plan.status == Status.DRAFT:
        return [NextStep(owners, "to publish a first version", plan.created_at)]
    if plan.status == Status.SHARED:
        return [NextStep(owners, "to choose who signs it off", plan.first_published_at)]
    if plan.status != Status.AWAITING_SIGN_OFF:
        return []
    steps: list[NextStep] = []
    number = number_to_sign(plan)
    states = signing_states(plan) if states is None else states
    if all(state.code == "left" for state in states):
        return [NextStep(owners, "to choose who signs it off", plan.last_published_at)]
    for state in states:
        name = state.signatory.organisation.display_name
        if state.is_settled:
            continue
        if state.sign_off is None:
            again = " again" if state.earlier else ""
            steps.append(
                NextStep(
                    who=f"{name} ({state.signatory.role})",
                    what=f"to sign off version {number}{again}",
                    since=state.signatory.asked_at,
                    due=state.signatory.due_on,
                    lapsed=state.code == "lapsed",
                )
            )
        elif state.code == "conditional":
            steps.append(NextStep(name, "to confirm that its condition is met", state.sign_off.signed_at))
        elif state.code == "rejected":
            steps.append(NextStep(owners, f"to answer the rejection by {name}", state.sign_off.signed_at))
    return steps
