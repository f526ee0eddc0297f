"""Developer agreements as others read them: on the page of their promises, and on the page of their authority."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.urls import reverse

from partnerships.commitments.models import Commitment
from partnerships.commitments.origins import Origin, OriginLink, Suggestion
from partnerships.kit.sections import Section
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.transfer.models import DeveloperAgreement


def links_of(*, commitment: Commitment, user: User) -> Sequence[OriginLink]:
    """The published agreement in which a commitment was promised: whoever reads the one may read the other."""
    found = DeveloperAgreement.objects.filter(promises__commitment=commitment).order_by("pk")
    return [OriginLink(words_for(one), reverse("web:agreement", args=[one.pk])) for one in found]


def words_for(agreement: DeveloperAgreement) -> str:
    """`section-106 agreement W/1-da`."""
    return f"{agreement.kind} agreement {agreement.reference}"


def suggest(*, user: User, record_id: int) -> Suggestion | None:
    """Nothing: what an agreement promises is read from its register."""
    return None


def link(*, commitment: Commitment, record_id: int, author: User, now: dt.datetime) -> None:
    """Never asked for, since nothing is suggested."""


AGREEMENT = Origin(name="agreement", suggest=suggest, link=link, links_of=links_of)


def agreements_section(user: User, organisation: Organisation) -> Section | None:
    """How many developer agreements the authority has published, with the way to them."""
    number = organisation.developer_agreements.count()
    if not number:
        return None
    return Section("transfer/_agreements.html", {"organisation": organisation, "number": number})
