"""Records that can be linked as evidence, and evidence as a reader may see it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from partnerships.agreements.models import Document, Partnership
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Meeting
from partnerships.kit.dates import long_date
from partnerships.kit.text import shorten
from partnerships.people.models import User
from partnerships.plans.models import Version
from partnerships.recommendations.models import Evidence, Response
from partnerships.recommendations.models.responses import KINDS_OF_EVIDENCE
from partnerships.surveys.models import Figure
from partnerships.surveys.queries.results import expectation_words, expectations_for

#: A form offers at most this many records of one kind.
MAX_OFFERED = 200
#: A text that is shown as a title has at most this many characters.
_MAX_TEXT = 90


def _partnerships(user: User) -> QuerySet[Any]:
    """Return partnerships that the person's organisations take part in.

    People outside a partnership see only its outline, which proves nothing.
    """
    return Partnership.objects.with_party_of(user).order_by("title", "pk")


def _document_path(document: Document) -> str:
    """Return the path of the list of documents of the document's partnership."""
    return document.partnership.get_absolute_url() + "documents/"


def _expectation_title(share: Figure) -> str:
    """Return the text of the expectation, followed by the survey and the partnership in brackets."""
    survey_round = share.round
    return f"{shorten(expectation_words(share), _MAX_TEXT)} ({survey_round.title}, {survey_round.partnership})"


@dataclass(frozen=True, slots=True)
class _Kind:
    """The records of one kind that a person may link, and the title and URL of each."""

    choose: Callable[[User], QuerySet[Any]]
    title: Callable[[Any], str]
    path: Callable[[Any], str]


_KINDS: dict[str, _Kind] = {
    "commitment": _Kind(
        lambda user: Commitment.objects.visible_to(user).order_by("-pk"),
        lambda commitment: f"{commitment.reference}: {shorten(commitment.text, _MAX_TEXT)}",
        Commitment.get_absolute_url,
    ),
    "version": _Kind(
        lambda user: Version.objects.visible_to(user).without_content().select_related("plan").order_by("-pk"),
        lambda version: f"{version.plan}, version {version.number}",
        Version.get_absolute_url,
    ),
    "partnership": _Kind(_partnerships, str, Partnership.get_absolute_url),
    "meeting": _Kind(
        lambda user: Meeting.objects.visible_to(user).select_related("partnership").order_by("-starts_at", "-pk"),
        lambda meeting: f"{meeting.title}, {long_date(meeting.day)}",
        Meeting.get_absolute_url,
    ),
    "document": _Kind(
        lambda user: Document.objects.visible_to(user).select_related("partnership").order_by("-pk"),
        lambda document: f"{document.title} ({document.partnership})",
        _document_path,
    ),
    "expectation": _Kind(expectations_for, _expectation_title, lambda share: share.round.get_absolute_url()),
}


def linkable_record(kind: str, pk: int, user: User) -> Model | None:
    """Return the record, if the person may link it as evidence."""
    if kind not in _KINDS:
        return None
    record: Model | None = _KINDS[kind].choose(user).filter(pk=pk).first()
    return record


def evidence_choices(kind: str, user: User) -> list[tuple[str, str]]:
    """Return the ids and titles of records that the person may link, the newest first."""
    records = _KINDS[kind].choose(user)[:MAX_OFFERED]
    return [(str(record.pk), _KINDS[kind].title(record)) for record in records]


@dataclass(frozen=True, slots=True)
class ShownEvidence:
    """A piece of evidence for a response, as its reader sees it."""

    pk: int
    kind: str
    title: str
    path: str
    words: str


#: The related rows that titles and URLs of records need.
_RELATED = (
    "commitment",
    "version__plan",
    "partnership",
    "meeting",
    "document__partnership",
    "expectation__round__question_set",
    "expectation__round__partnership",
)


def shown_evidence(responses: Collection[int], user: User) -> dict[int, list[ShownEvidence]]:
    """Return the evidence for each of these responses (ids) that the person may read, oldest first."""
    readable_evidence = (
        Evidence.objects.visible_to(user)
        .filter(response__in=responses)
        .defer("version__content", "version__prose")
        .select_related(*_RELATED)
        .order_by("pk")
    )
    evidence_by_response: dict[int, list[ShownEvidence]] = defaultdict(list)
    for evidence in readable_evidence:
        kind, record = _KINDS[evidence.kind], getattr(evidence, evidence.kind)
        evidence_by_response[evidence.response_id].append(
            ShownEvidence(
                pk=evidence.pk,
                kind=KINDS_OF_EVIDENCE[evidence.kind],
                title=kind.title(record),
                path=kind.path(record),
                words=evidence.words,
            )
        )
    return evidence_by_response


def unreadable_evidence(response: Response, user: User) -> list[tuple[int, str, dt.datetime]]:
    """Return the id, kind and time of evidence for a response that the person may not read.

    People of the response's organisation may remove such evidence, although they cannot see what it is.
    """
    readable = Evidence.objects.visible_to(user).values("pk")
    unreadable = Evidence.objects.filter(response=response).exclude(pk__in=readable).order_by("pk")
    return [(evidence.pk, KINDS_OF_EVIDENCE[evidence.kind], evidence.added_at) for evidence in unreadable]
