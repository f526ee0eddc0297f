"""Index rows of commitments and of developer agreements."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import QuerySet
from django.urls import reverse

from partnerships.commitments.models import Commitment
from partnerships.commitments.models.routes import ROUTES
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.organisations.holdings import id_is_among
from partnerships.people.models import User
from partnerships.search.entries import EntryRow, joined_lines
from partnerships.search.models import EVERYONE
from partnerships.search.sources.source import KindNames, Source, check_by_record, readers_by_routes
from partnerships.search.sources.texts import all_names_of


def _commitment_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield a row for each commitment, by its text, its reference and all names of both sides."""
    readers = readers_by_routes(Commitment, ROUTES, ids)
    commitments = Commitment.objects.filter(pk__in=ids).select_related("giver", "receiver")
    for commitment in commitments.prefetch_related("giver__names", "receiver__names"):
        yield EntryRow(
            object_id=commitment.pk,
            kind="commitment",
            title=commitment.text,
            text=joined_lines(
                commitment.text[300:],  # the title has the first 300 characters
                commitment.reference,
                commitment.giver_name,
                all_names_of(commitment.giver, commitment.receiver),
            ),
            references=(commitment.reference,),
            partnership_id=commitment.partnership_id,
            organisation_id=commitment.giver_id,
            day=commitment.due_on,
            path=reverse("commitments:detail", args=[commitment.pk]),
            readers=readers[commitment.pk],
        )


def _readable_commitments(user: User, ids: list[int]) -> QuerySet[Commitment, int]:
    """Return the ids of the commitments that the person may read."""
    return Commitment.objects.visible_to(user).filter(id_is_among("pk", ids)).values_list("pk", flat=True)


def _agreement_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield a row for each developer agreement, for everybody."""
    for agreement in DeveloperAgreement.objects.filter(pk__in=ids).select_related("organisation"):
        yield EntryRow(
            object_id=agreement.pk,
            kind="agreement",
            title=f"{agreement.kind} agreement {agreement.reference}",
            text=joined_lines(agreement.organisation.name, agreement.planning_application),
            references=(agreement.reference, agreement.planning_application),
            organisation_id=agreement.organisation_id,
            day=agreement.agreed_on,
            path=agreement.get_absolute_url(),
            readers=frozenset({EVERYONE}),
        )


def _readable_agreements(user: User, ids: list[int]) -> QuerySet[DeveloperAgreement, int]:
    """Return the ids of the developer agreements that the person may read."""
    return DeveloperAgreement.objects.visible_to(user).filter(id_is_among("pk", ids)).values_list("pk", flat=True)


_FOLLOWS: dict[str, tuple[str, ...]] = {
    "commitments_commitment.id": ("pk",),
    "agreements_party.partnership_id": ("partnership",),
    "organisations_organisation.id": ("giver", "receiver"),
    "organisations_organisationname.organisation_id": ("giver", "receiver"),
}
COMMITMENTS = Source(
    code="commitment",
    model=Commitment,
    kinds={"commitment": KindNames("Commitment", "Commitments")},
    read=_commitment_rows,
    check=check_by_record(_readable_commitments),
    follows=_FOLLOWS,
)
DEVELOPER_AGREEMENTS = Source(
    code="agreement",
    model=DeveloperAgreement,
    kinds={"agreement": KindNames("Developer agreement", "Developer agreements")},
    read=_agreement_rows,
    check=check_by_record(_readable_agreements),
    follows={"developer_agreements_developeragreement.id": ("pk",), "organisations_organisation.id": ("organisation",)},
)
