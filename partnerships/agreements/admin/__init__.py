"""Admin pages of partnerships."""

from partnerships.agreements.admin import kinds, partnerships

__all__ = ["kinds", "partnerships"]
