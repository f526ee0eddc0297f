"""Nominations agreements."""

from partnerships.nominations.models.agreement import NominationsAgreement

__all__ = ["NominationsAgreement"]
