"""The lists of partnerships, and of contacts and documents in all of them."""

from __future__ import annotations

from partnerships.agreements.listing.contacts import CONTACTS
from partnerships.agreements.listing.documents import DOCUMENTS
from partnerships.agreements.listing.partnerships import PARTNERSHIPS

__all__ = ["CONTACTS", "DOCUMENTS", "PARTNERSHIPS"]
