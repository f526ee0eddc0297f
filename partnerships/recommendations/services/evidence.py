"""Services that add and remove the evidence for a response."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.recommendations.event_kinds import EventKind
from partnerships.recommendations.models import Evidence, Response
from partnerships.recommendations.queries.evidence import linkable_record
from partnerships.recommendations.rights import may_answer_for
from partnerships.recommendations.services.recording import record_response

#: A response has at most this many pieces of evidence.
MAX_EVIDENCE = 50


class UnableToChangeEvidence(Exception):
    """Raised if the author cannot see the record, it is already evidence, or the evidence has been removed."""


def _lock(response: Response, author: User, now: dt.datetime) -> Response:
    """Lock and return the response, if the author may answer for its organisation."""
    responses = Response.objects.select_for_update(of=("self",)).select_related("recommendation", "organisation")
    response = responses.get(pk=response.pk)
    require(may_answer_for(response.organisation, author, now))
    return response


@transaction.atomic
def add_evidence(
    *, response: Response, kind: str, record: int, words: str = "", author: User, now: dt.datetime
) -> Evidence:
    """Link a record that the author may read as evidence. Raises `UnableToChangeEvidence`.

    `kind` is a key of `KINDS_OF_EVIDENCE`.
    """
    response = _lock(response, author, now)
    evidence_record = linkable_record(kind, record, author)
    if evidence_record is None:
        raise UnableToChangeEvidence("Choose the evidence from the list.")
    if response.evidence.filter(**{kind: evidence_record}).exists():
        raise UnableToChangeEvidence("This record is already evidence for the response. Choose another record.")
    if response.evidence.count() >= MAX_EVIDENCE:
        raise UnableToChangeEvidence(f"You can add up to {MAX_EVIDENCE} pieces of evidence. Remove one first.")

    evidence = Evidence.objects.create(
        response=response, **{kind: evidence_record}, words=" ".join(words.split()), added_by=author, added_at=now
    )
    record_response(response, EventKind.EVIDENCE_ADDED, author=author, now=now, evidence=evidence)
    return evidence


@transaction.atomic
def remove_evidence(*, evidence: Evidence, author: User, now: dt.datetime) -> None:
    """Remove a piece of evidence, but not the record that it links to. Raises `UnableToChangeEvidence`."""
    response = _lock(evidence.response, author, now)
    deleted_count, _count_by_model = response.evidence.filter(pk=evidence.pk).delete()
    if not deleted_count:
        raise UnableToChangeEvidence("A colleague has already removed this evidence, so you do not need to remove it.")
    record_response(response, EventKind.EVIDENCE_REMOVED, author=author, now=now, is_inside=True)
