"""Read commitments for lists, and the related rows for the page of one commitment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import (
    FINAL_STATUSES,
    Commitment,
    CommitmentQuerySet,
    Evidence,
    Kind,
    Progress,
    Slippage,
    Status,
)
from partnerships.organisations.lineage import organisation_ids_by_name
from partnerships.organisations.naming import AsAt, show_names_of_day
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User


def commitments_of_partnerships(partnership_ids: Sequence[int], user: User) -> CommitmentQuerySet:
    """Return the commitments of these partnerships that the person may see, by due date."""
    return sorted_by_due_date(Commitment.objects.visible_to(user).filter(partnership__in=partnership_ids)).for_listing()


def open_and_finished(partnership: Partnership, user: User, limit: int) -> tuple[list[Commitment], list[Commitment]]:
    """Return the open commitments by due date, and the finished ones newest first.

    Both lists contain only commitments of the partnership that the person may see, at most `limit` each.
    """
    still_open = rows_for(_open_commitments_in, user, partnership.pk, limit=limit)
    return still_open, rows_for(_finished_commitments_in, user, partnership.pk, limit=limit)


#: The condition that a commitment is over. A done action without `done_by` is older than the rule that a second person
#: must verify actions, so it is over too.
_IS_OVER = Q(status__in=FINAL_STATUSES) | Q(kind=Kind.ACTION, status=Status.DONE, done_by=None)


def _open_commitments_in(user: User, partnership_id: int, *, limit: int) -> CommitmentQuerySet:
    """Return the partnership's commitments that are not over, by due date."""
    return sorted_by_due_date(_commitments_in(user, partnership_id).exclude(_IS_OVER))[:limit]


def _finished_commitments_in(user: User, partnership_id: int, *, limit: int) -> CommitmentQuerySet:
    """Return the partnership's commitments that are over, newest first."""
    return _commitments_in(user, partnership_id).filter(_IS_OVER).order_by("-status_since", "-pk")[:limit]


def _commitments_in(user: User, partnership_id: int) -> CommitmentQuerySet:
    """Return the partnership's commitments that the person may see."""
    return Commitment.objects.visible_to(user).filter(partnership=partnership_id).for_listing()


def name_as_at(commitments: Iterable[Commitment], *, beside: Iterable[AsAt] = ()) -> None:
    """Set the names of the commitments' organisations to their names on the day of the proposal. Makes one query.

    Organisations of open commitments also show their present name. `beside` contains other organisations on the page,
    each with the day whose name it shows. Never save these organisations, because these names are only for the page.
    """
    then_only: list[AsAt] = list(beside)
    then_and_now: list[AsAt] = []
    for commitment in commitments:
        day = timezone.localdate(commitment.proposed_at)
        organisations = (commitment.giver, commitment.receiver, commitment.owner_organisation)
        dated_organisations = [(day, organisation) for organisation in organisations]
        if commitment.is_over:
            then_only += dated_organisations
        else:
            then_and_now += dated_organisations
    show_names_of_day(then_only, with_present=then_and_now)


def sorted_by_due_date(commitments: CommitmentQuerySet) -> CommitmentQuerySet:
    """Sort commitments by due date, those without one last. The order is unique."""
    return commitments.order_by(F("due_on").asc(nulls_last=True), "pk")


def with_related_rows(commitments: CommitmentQuerySet) -> CommitmentQuerySet:
    """Fetch the related rows that a commitment's page shows, except the people (`with_people`)."""
    return commitments.select_related(
        "giver", "receiver", "owner_organisation", "partnership", "proposed_for", "replaces"
    )


def slippages_of(commitment_id: int) -> QuerySet[Slippage]:
    """Return the changes of the due date, newest first, with their authors."""
    return Slippage.objects.filter(commitment=commitment_id).select_related("by").order_by("-at", "-pk")


def progress_of(commitment_id: int) -> QuerySet[Progress]:
    """Return the progress reports, newest first, with their authors."""
    reports = Progress.objects.filter(commitment=commitment_id)
    return reports.select_related("by", "organisation").order_by("-at", "-pk")


def evidence_of(commitment_id: int) -> QuerySet[Evidence]:
    """Return the files of evidence that have not been removed, newest first, with the people who added them."""
    files = Evidence.objects.filter(commitment=commitment_id, removed_at=None)
    return files.select_related("added_by").order_by("-added_at", "-pk")


#: The people that a commitment names.
_PEOPLE = (
    "owner",
    "proposed_by",
    "giver_confirmed_by",
    "receiver_confirmed_by",
    "verified_by",
    "done_by",
    "escalated_to",
)


def with_people(commitment: Commitment) -> Commitment:
    """Fetch the people that a commitment names with one query, and return the commitment.

    Joins would be slower. PostgreSQL takes longer to plan a join of all these people than to run every query of the
    page.
    """
    id_by_field = {field: getattr(commitment, f"{field}_id") for field in _PEOPLE}
    person_by_id = User.objects.in_bulk({pk for pk in id_by_field.values() if pk is not None})
    for field, pk in id_by_field.items():
        setattr(commitment, field, person_by_id.get(pk))
    return commitment


def matching_words(commitments: CommitmentQuerySet, words: str) -> CommitmentQuerySet:
    """Return commitments with these words in their reference, in their text or in a name of giver or receiver."""
    organisations = organisation_ids_by_name(words)
    return commitments.filter(
        Q(reference__iexact=words)
        | Q(text__icontains=words)
        | Q(giver__in=organisations)
        | Q(receiver__in=organisations)
    )
