"""The definitions of the lists of conversations and of meetings: columns, filters and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import F, OuterRef, Q, TextField, Value, prefetch_related_objects
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, NullIf
from django.http import QueryDict
from django.utils import timezone

from partnerships.agreements.columns import offer_partnerships, partnership_column
from partnerships.agreements.models import Partnership
from partnerships.conversations import queries
from partnerships.conversations.models import (
    CORRECTABLE_STATUSES,
    Conversation,
    ConversationQuerySet,
    Format,
    Meeting,
    MeetingQuerySet,
    MeetingSeat,
    MeetingStatus,
    Side,
    Status,
)
from partnerships.conversations.queries.calendar import dates_of_conversations, dates_of_meetings
from partnerships.exchange.models import Theme
from partnerships.kit import lists
from partnerships.kit.exports import day_of
from partnerships.kit.forms import Form
from partnerships.kit.lists import Column, ListDefinition, joined
from partnerships.kit.record_fields import RecordField
from partnerships.organisations.columns import FOUND_WORDS, organisation_column
from partnerships.organisations.lineage import organisation_ids_by_name
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.organisations.naming import official_name_at, show_names_of_day
from partnerships.people.models import User

#: The list of conversations shows at most this many quiet partnerships above it. My work lists all of them.
_MAX_QUIET = 10


class _FilterForm(Form):
    """Filters by partnership and by words, for both lists."""

    words = forms.CharField(required=False, max_length=80)
    partnership = RecordField(label="Partnership", queryset=Partnership.objects.none(), empty_label="Any partnership")

    def __init__(self, parameters: QueryDict, *, user: User) -> None:
        super().__init__(parameters)
        offer_partnerships(self, user)


class ConversationsForm(_FilterForm):
    """Filters of the list of conversations, besides those of its columns."""

    words = forms.CharField(label="Subject or organisation", required=False, max_length=80)
    mine = forms.BooleanField(label="Only records that my organisations keep", required=False)
    to_agree = forms.BooleanField(label="Only records that we have not agreed yet", required=False)


class MeetingsForm(_FilterForm):
    """Filters of the list of meetings, besides those of its columns."""

    STANDING = (
        ("", "Any time"),
        ("coming", "Still to come"),
        ("unrecorded", "Past, attendance not recorded"),
    )
    words = forms.CharField(label="Title", required=False, max_length=80)
    standing = forms.ChoiceField(label="When", required=False, choices=STANDING)
    mine = forms.BooleanField(label="Only those I am invited to", required=False)


def _conversations(user: User, filters: Mapping[str, Any]) -> ConversationQuerySet:
    """Return the conversations that the person may read and that pass the filters."""
    rows = Conversation.objects.visible_to(user)
    if filters.get("mine"):
        rows = rows.filter(pk__in=queries.conversations_kept_by(user).values("pk"))
    if filters.get("to_agree"):
        own_sides = Side.objects.filter(
            organisation__in=Organisation.objects.of_person(user).values("pk"), agreed_at=None
        )
        rows = rows.filter(status__in=CORRECTABLE_STATUSES, pk__in=own_sides.values("conversation"))
    if filters.get("partnership"):
        rows = rows.filter(partnership=filters["partnership"])
    if filters.get("words"):
        rows = queries.matching_words(rows, filters["words"])
    return _with_sides(rows)


def _with_sides(rows: ConversationQuerySet) -> ConversationQuerySet:
    """Add `took_part`, the names of the sides on the day of the conversation.

    The database joins the names into one text for each row. Otherwise a page would fetch
    about a hundred sides and organisations for their names.
    """
    return rows.select_related("organisation", "partnership").annotate(took_part=_side_names("pk"))


def _meetings(user: User, filters: Mapping[str, Any]) -> MeetingQuerySet:
    """Return the meetings that the person may read and that pass the filters."""
    rows = Meeting.objects.visible_to(user)
    if filters.get("mine"):
        rows = rows.filter(pk__in=MeetingSeat.objects.filter(person=user).values("meeting"))
    if filters.get("partnership"):
        rows = rows.filter(partnership=filters["partnership"])
    if filters.get("words"):
        rows = rows.filter(title__icontains=filters["words"])
    if filters.get("standing") == "coming":
        rows = rows.upcoming(timezone.now())
    if filters.get("standing") == "unrecorded":
        rows = rows.filter(status=MeetingStatus.PLANNED, starts_at__lt=timezone.now())
    return rows.select_related("partnership")


def _add_organisations(_user: User, meetings: Sequence[Meeting]) -> None:
    """Read the organisation that arranged each meeting, with its name on the day of the meeting."""
    prefetch_related_objects(meetings, "organisation")
    show_names_of_day((meeting.day, meeting.organisation) for meeting in meetings)


def _side_names(*order: str) -> Combinable:
    """Return the names of a conversation's sides on its day, as one text in this order."""
    sides = Side.objects.filter(conversation=OuterRef("pk")).annotate(
        name_then=official_name_at("conversation__held_on")
    )
    return joined(sides.order_by(*order), "name_then")


def _with_side(words: str) -> Q:
    """Return the condition that an organisation took part whose name contains these words."""
    return Q(pk__in=Side.objects.filter(organisation__in=organisation_ids_by_name(words)).values("conversation"))


def _place(user: User) -> Combinable:
    """Return the place of a meeting, or else its link, to sort and filter by."""
    return Coalesce(NullIf(F("place"), Value("")), NullIf(F("link"), Value("")), output_field=TextField())


def _conversations_context(user: User) -> dict[str, Any]:
    """Return what the template shows above the list: quiet partnerships, and whether the person may record."""
    quiet = queries.find_quiet_partnerships(user, timezone.now(), limit=_MAX_QUIET + 1)
    return {
        "quiet": quiet[:_MAX_QUIET],
        "more_quiet": len(quiet) > _MAX_QUIET,
        "may_record": bool(Membership.objects.organisations_of(user, *EDITING_ROLES)),
    }


_PARTNERSHIP = partnership_column()
_FORMAT = Column(
    name="format",
    label="Type of meeting",
    kind=lists.Kind.CHOICE,
    value=lambda row: Format(row.format).label,
    choices=lambda: Format.choices,
    is_nullable=False,
    is_grouped=True,
)

CONVERSATIONS = ListDefinition(
    slug="conversations",
    title="Conversations",
    one="conversation",
    address="conversations:list",
    columns=(
        Column(
            name="subject",
            label="Subject",
            value=lambda row: row.subject,
            href=Conversation.get_absolute_url,
            covered="words",
            is_nullable=False,
        ),
        Column(
            name="held",
            label="Day",
            kind=lists.Kind.DAY,
            value=lambda row: row.held_on,
            key="held_on",
            is_nullable=False,
        ),
        Column(
            name="sides",
            label="Who took part",
            value=lambda row: row.took_part,
            key=lambda _user: _side_names("organisation__name", "pk"),
            found_by=_with_side,
            found_words=FOUND_WORDS,
            is_nullable=False,
        ),
        Column(
            name="status",
            label="Status",
            kind=lists.Kind.CHOICE,
            value=lambda row: Status(row.status).label,
            tag=lambda row: row.status,
            choices=lambda: Status.choices,
            is_nullable=False,
            is_grouped=True,
        ),
        Column(
            name="theme",
            label="Theme",
            kind=lists.Kind.CHOICE,
            value=lambda row: Theme.label_of(row.theme) if row.theme else None,
            choices=Theme.all_choices,
            is_grouped=True,
        ),
        _FORMAT,
        _PARTNERSHIP,
        organisation_column(
            name="keeper",
            label="Record kept by",
            value=lambda row: row.organisation.name,
            organisation_path="organisation",
            moment_path="held_on",
            is_nullable=False,
            is_shown=False,
            ready=lambda _user, rows: show_names_of_day((row.held_on, row.organisation) for row in rows),
        ),
        Column(
            name="next_contact",
            label="Next contact",
            kind=lists.Kind.DAY,
            value=lambda row: row.next_contact_on,
            key="next_contact_on",
            is_shown=False,
        ),
        Column(
            name="circulated",
            label="Circulated",
            kind=lists.Kind.MOMENT,
            value=lambda row: day_of(row.circulated_at),
            key="circulated_at",
            is_shown=False,
        ),
        Column(
            name="agreed",
            label="Agreed",
            kind=lists.Kind.MOMENT,
            value=lambda row: day_of(row.agreed_at),
            key="agreed_at",
            is_shown=False,
        ),
    ),
    rows=_conversations,
    readable=lambda user: _with_sides(Conversation.objects.visible_to(user)),
    form=lambda parameters, user: ConversationsForm(parameters, user=user),
    sort=lambda _chosen: "-held",
    numbers_first=True,
    template="conversations/list.html",
    dates=dates_of_conversations,
    followed=lambda row: row.partnership,
    follow_words="Follow their partnerships",
    empty=(
        "No conversations yet",
        "Talk openly about what each organisation wants and what is in the way. Then write and agree the record here.",
    ),
    context=_conversations_context,
)

MEETINGS = ListDefinition(
    slug="meetings",
    title="Meetings",
    one="meeting",
    address="conversations:meeting-list",
    columns=(
        Column(
            name="title",
            label="Meeting",
            value=lambda row: row.title,
            href=Meeting.get_absolute_url,
            covered="words",
            is_nullable=False,
        ),
        Column(
            name="starts",
            label="Day",
            kind=lists.Kind.MOMENT,
            value=lambda row: row.day,
            words=lambda row: row.date_and_time,
            key="starts_at",
            is_nullable=False,
        ),
        _PARTNERSHIP,
        Column(
            name="status",
            label="Status",
            kind=lists.Kind.CHOICE,
            value=lambda row: MeetingStatus(row.status).label,
            tag=lambda row: row.status,
            choices=lambda: MeetingStatus.choices,
            is_nullable=False,
            is_grouped=True,
        ),
        _FORMAT,
        Column(
            name="place",
            label="Place or link",
            value=lambda row: row.place or row.link or None,
            key=_place,
        ),
        organisation_column(
            name="organisation",
            label="Arranged by",
            value=lambda row: row.organisation.name,
            organisation_path="organisation",
            moment_path="starts_at",
            is_nullable=False,
            is_shown=False,
            ready=_add_organisations,
        ),
        Column(
            name="minutes",
            label="Minutes",
            kind=lists.Kind.NUMBER,
            value=lambda row: row.minutes,
            is_nullable=False,
            is_shown=False,
            is_summed=True,
        ),
        Column(
            name="agenda",
            label="Agenda circulated",
            kind=lists.Kind.MOMENT,
            value=lambda row: day_of(row.agenda_sent_at),
            key="agenda_sent_at",
            is_shown=False,
        ),
        Column(
            name="present",
            label="Parties present",
            kind=lists.Kind.NUMBER,
            value=lambda row: row.quorum_present,
            key="quorum_present",
            is_shown=False,
        ),
        Column(
            name="needed",
            label="Parties needed",
            kind=lists.Kind.NUMBER,
            value=lambda row: row.quorum_needed,
            key="quorum_needed",
            is_shown=False,
        ),
    ),
    rows=_meetings,
    readable=lambda user: Meeting.objects.visible_to(user).select_related("partnership"),
    form=lambda parameters, user: MeetingsForm(parameters, user=user),
    sort=lambda _chosen: "-starts",
    template="conversations/meetings/all.html",
    dates=dates_of_meetings,
    followed=lambda row: row.partnership,
    follow_words="Follow their partnerships",
    empty=("No meetings yet", "Plan a meeting on the page of a partnership."),
)
