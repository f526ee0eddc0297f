"""Search finds evidence of commitments, files of conversations and meetings, and items of agendas.

An item about a record of another room is left out, with its papers: its title is the record's, which search finds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from django.db.models import Q, QuerySet
from django.urls import reverse

from partnerships.commitments.models import Commitment, Evidence
from partnerships.commitments.models.commitments import ROUTES as COMMITMENT_ROUTES
from partnerships.conversations.models import AgendaItem, Attachment, Conversation, Meeting
from partnerships.conversations.models.conversations import ROUTES
from partnerships.conversations.models.meetings import MEETING_ROUTES
from partnerships.organisations.holdings import among
from partnerships.people.models import User
from partnerships.search.entries import Row, divided, joined
from partnerships.search.sources.source import KindNames, Source, by_record, readers_by_routes
from partnerships.search.sources.texts import texts_of_files

_DOCUMENT = {"document": KindNames("Document", "Documents")}


def _of_file(
    one: Evidence | Attachment, texts: dict[str, str], *, path: str, partnership_id: int | None, readers: frozenset[int]
) -> Iterator[Row]:
    """The entries of a file: its title, name and text."""
    for place, part in enumerate(divided(joined(one.file_name, texts.get(one.sha256)))):
        yield Row(
            object_id=one.pk,
            part=str(place) if place else "",
            kind="document",
            title=one.title,
            text=part,
            partnership_id=partnership_id,
            organisation_id=one.added_for_id,
            day=one.added_at.date(),
            path=path,
            readers=readers,
        )


def _evidence(ids: Collection[int]) -> Iterable[Row]:
    found = list(Evidence.objects.filter(pk__in=ids, removed_at=None).select_related("commitment"))
    texts = texts_of_files(evidence.sha256 for evidence in found)
    readers = readers_by_routes(Commitment, COMMITMENT_ROUTES, {evidence.commitment_id for evidence in found})
    for evidence in found:
        yield from _of_file(
            evidence,
            texts,
            path=f"{evidence.commitment.get_absolute_url()}#evidence-{evidence.pk}",
            partnership_id=evidence.commitment.partnership_id,
            readers=readers[evidence.commitment_id],
        )


def _evidence_for(user: User, ids: list[int]) -> QuerySet[Evidence, int]:
    return Evidence.objects.visible_to(user).filter(among("pk", ids)).values_list("pk", flat=True)


#: Files, not links to a record, and not of an item about a record.
_OWN_FILES = ~Q(sha256="") & (Q(item=None) | Q(item__subject_kind=""))


def _attachments(ids: Collection[int]) -> Iterable[Row]:
    """Files of conversations and meetings, for those who may read the record."""
    files = Attachment.objects.filter(_OWN_FILES, pk__in=ids, removed_at=None)
    found = list(files.select_related("conversation", "meeting"))
    texts = texts_of_files(attachment.sha256 for attachment in found)
    talks = readers_by_routes(
        Conversation, ROUTES, {attachment.conversation_id for attachment in found if attachment.conversation_id}
    )
    meetings = readers_by_routes(
        Meeting, MEETING_ROUTES, {attachment.meeting_id for attachment in found if attachment.meeting_id}
    )
    for attachment in found:
        record = attachment.conversation or attachment.meeting
        assert record is not None  # a constraint of the table
        yield from _of_file(
            attachment,
            texts,
            path=f"{record.get_absolute_url()}#file-{attachment.pk}",
            partnership_id=record.partnership_id,
            readers=talks[attachment.conversation_id]
            if attachment.conversation_id
            else meetings[attachment.meeting_id or 0],
        )


def _attachments_for(user: User, ids: list[int]) -> QuerySet[Attachment, int]:
    """Like `Attachment.visible_to`, for the files that are indexed."""
    record = Q(conversation__in=Conversation.objects.visible_to(user).values("pk")) | Q(
        meeting__in=Meeting.objects.visible_to(user).values("pk")
    )
    found = Attachment.objects.filter(_OWN_FILES, record, among("pk", ids), removed_at=None)
    return found.values_list("pk", flat=True)


def _items(ids: Collection[int]) -> Iterable[Row]:
    found = list(AgendaItem.objects.kept().filter(pk__in=ids, subject_kind="").select_related("meeting"))
    readers = readers_by_routes(Meeting, MEETING_ROUTES, {item.meeting_id for item in found})
    for item in found:
        yield Row(
            object_id=item.pk,
            kind="agenda",
            title=item.title,
            text=joined(item.detail, item.meeting.title),
            partnership_id=item.meeting.partnership_id,
            organisation_id=item.added_for_id,
            day=item.meeting.day,
            path=f"{reverse('conversations:meeting', args=[item.meeting_id])}#item-{item.pk}",
            readers=readers[item.meeting_id],
        )


def _items_for(user: User, ids: list[int]) -> QuerySet[AgendaItem, int]:
    """Like `AgendaItem.visible_to`, for the items that are indexed."""
    meetings = Meeting.objects.visible_to(user).values("pk")
    found = AgendaItem.objects.filter(among("pk", ids), subject_kind="", dropped_at=None, meeting__in=meetings)
    return found.values_list("pk", flat=True)


_PARTIES = "agreements_party.partnership_id"
EVIDENCE = Source(
    code="evidence",
    model=Evidence,
    kinds=_DOCUMENT,
    read=_evidence,
    check=by_record(_evidence_for),
    follows={
        "commitments_evidence.id": ("pk",),
        "commitments_commitment.id": ("commitment",),
        _PARTIES: ("commitment__partnership",),
    },
)
ATTACHMENTS = Source(
    code="attachment",
    model=Attachment,
    kinds=_DOCUMENT,
    read=_attachments,
    check=by_record(_attachments_for),
    follows={
        "conversations_attachment.id": ("pk",),
        "conversations_conversation.id": ("conversation",),
        "conversations_side.conversation_id": ("conversation",),
        "conversations_agendaitem.id": ("item",),
        _PARTIES: ("meeting__partnership",),
    },
)
AGENDA_ITEMS = Source(
    code="agendaitem",
    model=AgendaItem,
    kinds={"agenda": KindNames("Agenda item", "Agenda items")},
    read=_items,
    check=by_record(_items_for),
    follows={
        "conversations_agendaitem.id": ("pk",),
        "conversations_meeting.id": ("meeting",),
        _PARTIES: ("meeting__partnership",),
    },
)
