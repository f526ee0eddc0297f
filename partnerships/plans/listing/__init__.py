"""The lists of plans, and of documents, milestones and sites in all of them."""

from __future__ import annotations

from partnerships.plans.listing.documents import DOCUMENTS
from partnerships.plans.listing.pieces import MILESTONES, SITES
from partnerships.plans.listing.plans import PLANS

__all__ = ["DOCUMENTS", "MILESTONES", "PLANS", "SITES"]
