"""The next steps of a plan, which say what must be done and by which organisation."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from partnerships.kit.text import listed
from partnerships.plans.models import Plan, Status
from partnerships.plans.queries.owners import owners_by_age
from partnerships.plans.queries.signing import SigningState, signing_states, version_number_to_sign


@dataclass(frozen=True, slots=True)
class NextStep:
    """An action that an organisation must take next with a plan."""

    #: Names of the organisations that must act.
    organisations: str
    #: The action, as the end of a sentence that begins "Waiting for X", such as "to sign off version 2".
    action: str
    since: dt.datetime | None = None
    due: dt.date | None = None
    #: Whether the day to sign by has passed.
    has_lapsed: bool = False


def next_steps(plan: Plan, states: list[SigningState] | None = None) -> list[NextStep]:
    """Return the next steps of a plan. A plan that is agreed, monitored or over has none.

    `states` are the signing states of the plan. If they are None, they are queried.
    """
    if plan.is_over:
        return []
    owners = listed(owner.organisation.display_name for owner in owners_by_age(plan))
    if plan.status == Status.DRAFT:
        return [NextStep(organisations=owners, action="to publish a first version", since=plan.created_at)]
    if plan.status == Status.SHARED:
        return [NextStep(organisations=owners, action="to choose who signs it off", since=plan.first_published_at)]
    if plan.status != Status.AWAITING_SIGN_OFF:
        return []
    if states is None:
        states = signing_states(plan)
    if all(state.code == "left" for state in states):
        return [NextStep(organisations=owners, action="to choose who signs it off", since=plan.last_published_at)]
    number = version_number_to_sign(plan)
    steps = (_signing_step(state, owners=owners, number=number) for state in states)
    return [step for step in steps if step is not None]


def _signing_step(state: SigningState, *, owners: str, number: int) -> NextStep | None:
    """Return the next step towards one signature, or None if nothing more is to be done for it."""
    name = state.signatory.organisation.display_name
    if state.is_settled:
        return None
    if state.sign_off is None:
        again = " again" if state.earlier else ""
        return NextStep(
            organisations=f"{name} ({state.signatory.role})",
            action=f"to sign off version {number}{again}",
            since=state.signatory.asked_at,
            due=state.signatory.due_on,
            has_lapsed=state.code == "lapsed",
        )
    if state.code == "conditional":
        return NextStep(
            organisations=name, action="to confirm that its condition is met", since=state.sign_off.signed_at
        )
    if state.code == "rejected":
        return NextStep(
            organisations=owners, action=f"to respond to the rejection by {name}", since=state.sign_off.signed_at
        )
    return None
