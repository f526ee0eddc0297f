"""What pages and services read of nominations agreements."""

from partnerships.nominations.queries.agreement import agreed_on, agreement_of

__all__ = ["agreed_on", "agreement_of"]
