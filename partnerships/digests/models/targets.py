"""What can be followed: a plan, the plans of a partnership, or those that an organisation owns."""

from __future__ import annotations

from partnerships.agreements.models import Partnership
from partnerships.organisations.models import Organisation
from partnerships.plans.models import Plan

Target = Plan | Partnership | Organisation


def kind_of(target: Target) -> str:
    """`plan`, `partnership` or `organisation`: as addresses say it, and as subscriptions call their field for it."""
    return {Plan: "plan", Partnership: "partnership", Organisation: "organisation"}[type(target)]
