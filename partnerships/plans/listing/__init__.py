"""The lists of plans, and of milestones and sites in all of them."""

from __future__ import annotations

from partnerships.plans.listing.pieces import MILESTONES, SITES
from partnerships.plans.listing.plans import PLANS

__all__ = ["MILESTONES", "PLANS", "SITES"]
