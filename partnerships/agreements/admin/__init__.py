"""Admin pages of partnerships."""

from partnerships.agreements.admin import kinds, partnerships, terms

__all__ = ["kinds", "partnerships", "terms"]
