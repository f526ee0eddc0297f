"""Index rows of evidence of commitments, of files of conversations and meetings, and of agenda items.

An agenda item about another record is left out with its papers, as search finds the record itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from django.db.models import Q, QuerySet
from django.urls import reverse

from partnerships.commitments.models import Commitment, Evidence
from partnerships.commitments.models.routes import ROUTES as COMMITMENT_ROUTES
from partnerships.conversations.models import AgendaItem, Attachment, Conversation, Meeting
from partnerships.conversations.models.conversations import ROUTES
from partnerships.conversations.models.meetings import MEETING_ROUTES
from partnerships.organisations.holdings import id_is_among
from partnerships.people.models import User
from partnerships.search.entries import EntryRow, joined_lines, parts_of_text
from partnerships.search.sources.source import KindNames, Source, check_by_record, readers_by_routes
from partnerships.search.sources.texts import texts_of_files

_DOCUMENT = {"document": KindNames("Document", "Documents")}


def _rows_of_file(
    file: Evidence | Attachment, text: str, *, path: str, partnership_id: int | None, reader_ids: frozenset[int]
) -> Iterator[EntryRow]:
    """Yield the rows of a file with its title, name and text. A long text is divided into several rows."""
    for index, piece in enumerate(parts_of_text(joined_lines(file.file_name, text))):
        yield EntryRow(
            object_id=file.pk,
            part=str(index) if index else "",
            kind="document",
            title=file.title,
            text=piece,
            partnership_id=partnership_id,
            organisation_id=file.added_for_id,
            day=file.added_at.date(),
            path=path,
            readers=reader_ids,
        )


def _evidence_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield the rows of evidence, for people who may read the commitment."""
    all_evidence = list(Evidence.objects.filter(pk__in=ids, removed_at=None).select_related("commitment"))
    text_by_sha256 = texts_of_files(evidence.sha256 for evidence in all_evidence)
    commitment_ids = {evidence.commitment_id for evidence in all_evidence}
    readers = readers_by_routes(Commitment, COMMITMENT_ROUTES, commitment_ids)
    for evidence in all_evidence:
        yield from _rows_of_file(
            evidence,
            text_by_sha256.get(evidence.sha256, ""),
            path=f"{evidence.commitment.get_absolute_url()}#evidence-{evidence.pk}",
            partnership_id=evidence.commitment.partnership_id,
            reader_ids=readers[evidence.commitment_id],
        )


def _readable_evidence(user: User, ids: list[int]) -> QuerySet[Evidence, int]:
    """Return the ids of the evidence that the person may read."""
    return Evidence.objects.visible_to(user).filter(id_is_among("pk", ids)).values_list("pk", flat=True)


#: Attachments that are files, except papers of agenda items about a record. Links to records are attachments too.
_OWN_FILES = ~Q(sha256="") & (Q(item=None) | Q(item__subject_kind=""))


def _attachment_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield the rows of files of conversations and meetings, for people who may read the conversation or meeting."""
    own_files = Attachment.objects.filter(_OWN_FILES, pk__in=ids, removed_at=None)
    attachments = list(own_files.select_related("conversation", "meeting"))
    text_by_sha256 = texts_of_files(attachment.sha256 for attachment in attachments)
    conversation_ids = {attachment.conversation_id for attachment in attachments if attachment.conversation_id}
    conversation_readers = readers_by_routes(Conversation, ROUTES, conversation_ids)
    meeting_ids = {attachment.meeting_id for attachment in attachments if attachment.meeting_id}
    meeting_readers = readers_by_routes(Meeting, MEETING_ROUTES, meeting_ids)
    for attachment in attachments:
        record = attachment.conversation or attachment.meeting
        assert record is not None  # a constraint of the table
        readers = conversation_readers if attachment.conversation else meeting_readers
        yield from _rows_of_file(
            attachment,
            text_by_sha256.get(attachment.sha256, ""),
            path=f"{record.get_absolute_url()}#file-{attachment.pk}",
            partnership_id=record.partnership_id,
            reader_ids=readers[record.pk],
        )


def _readable_attachments(user: User, ids: list[int]) -> QuerySet[Attachment, int]:
    """Return the ids of the files that the person may read.

    Agrees with `Attachment.visible_to`, but has a shorter query, because only files without a record are indexed.
    """
    of_conversation = Q(conversation__in=Conversation.objects.visible_to(user).values("pk"))
    of_meeting = Q(meeting__in=Meeting.objects.visible_to(user).values("pk"))
    attachments = Attachment.objects.filter(
        _OWN_FILES, of_conversation | of_meeting, id_is_among("pk", ids), removed_at=None
    )
    return attachments.values_list("pk", flat=True)


def _item_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield a row for each agenda item that is not about another record, for people who may read the meeting."""
    items = list(AgendaItem.objects.not_dropped().filter(pk__in=ids, subject_kind="").select_related("meeting"))
    readers = readers_by_routes(Meeting, MEETING_ROUTES, {item.meeting_id for item in items})
    for item in items:
        yield EntryRow(
            object_id=item.pk,
            kind="agenda",
            title=item.title,
            text=joined_lines(item.detail, item.meeting.title),
            partnership_id=item.meeting.partnership_id,
            organisation_id=item.added_for_id,
            day=item.meeting.day,
            path=f"{reverse('conversations:meeting', args=[item.meeting_id])}#item-{item.pk}",
            readers=readers[item.meeting_id],
        )


def _readable_items(user: User, ids: list[int]) -> QuerySet[AgendaItem, int]:
    """Return the ids of the agenda items that the person may read.

    Agrees with `AgendaItem.visible_to`, but has a shorter query, because only items without a record are indexed.
    """
    meetings = Meeting.objects.visible_to(user).values("pk")
    items = AgendaItem.objects.filter(id_is_among("pk", ids), subject_kind="", dropped_at=None, meeting__in=meetings)
    return items.values_list("pk", flat=True)


_PARTIES = "agreements_party.partnership_id"
EVIDENCE = Source(
    code="evidence",
    model=Evidence,
    kinds=_DOCUMENT,
    read=_evidence_rows,
    check=check_by_record(_readable_evidence),
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
    read=_attachment_rows,
    check=check_by_record(_readable_attachments),
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
    read=_item_rows,
    check=check_by_record(_readable_items),
    follows={
        "conversations_agendaitem.id": ("pk",),
        "conversations_meeting.id": ("meeting",),
        _PARTIES: ("meeting__partnership",),
    },
)
