"""The records that people can follow (targets), and how subscriptions, URLs and pages name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment
from partnerships.exchange.models import Entry
from partnerships.kit.text import shorten
from partnerships.organisations.models import Organisation
from partnerships.plans.models import Plan
from partnerships.recommendations.models import Recommendation


@dataclass(frozen=True, slots=True)
class Piece:
    """A site or milestone of a plan, identified by its key."""

    plan: Plan
    key: str

    @property
    def pk(self) -> int:
        """Return the id of the plan, as in URLs."""
        return self.plan.pk

    def get_absolute_url(self) -> str:
        """Return the plan's page."""
        return self.plan.get_absolute_url()


Target = Plan | Partnership | Organisation | Entry | Commitment | Recommendation | Piece

#: A commitment has no title, so its text is shown, cut off after this number of characters.
_MAX_TITLE = 90
#: The field of a subscription that refers to a target of each type. A site or milestone also needs `key`.
FIELD_BY_TARGET_TYPE: dict[type[Any], str] = {
    Plan: "plan",
    Piece: "plan",
    Partnership: "partnership",
    Organisation: "organisation",
    Entry: "request",
    Commitment: "commitment",
    Recommendation: "recommendation",
}


def kind_of(target: Target) -> str:
    """Return the word for this kind of target in URLs and field names, such as `plan` or `request`."""
    return FIELD_BY_TARGET_TYPE[type(target)]


def title_of(target: Target) -> str:
    """Return the name of a target as emails and pages show it."""
    if isinstance(target, Piece):
        return f"a site or milestone of {target.plan}"
    if isinstance(target, Entry):
        return target.title
    if isinstance(target, Commitment):
        return shorten(target.text, _MAX_TITLE)
    return str(target)


def fields_of(target: Target) -> dict[str, Any]:
    """Return the fields that a subscription to this target has."""
    if isinstance(target, Piece):
        return {"plan": target.plan, "key": target.key}
    return {kind_of(target): target, "key": ""}
