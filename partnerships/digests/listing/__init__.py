"""The lists of stakeholders and of digests sent."""

from __future__ import annotations

from partnerships.digests.listing.ledger import LEDGER
from partnerships.digests.listing.stakeholders import STAKEHOLDERS

__all__ = ["LEDGER", "STAKEHOLDERS"]
