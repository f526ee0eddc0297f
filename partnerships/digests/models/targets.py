"""What can be followed: a plan, a partnership or an organisation."""

from __future__ import annotations

from partnerships.agreements.models import Partnership
from partnerships.organisations.models import Organisation
from partnerships.plans.models import Plan

Target = Plan | Partnership | Organisation


def kind_of(target: Target) -> str:
    """`plan`, `partnership` or `organisation`, as in URLs and field names."""
    return {Plan: "plan", Partnership: "partnership", Organisation: "organisation"}[type(target)]
