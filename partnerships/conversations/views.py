"""Pages of conversations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.models import Partnership, PartyRole
from partnerships.agreements.past import as_read_by
from partnerships.commitments.models import Commitment
from partnerships.commitments.queries import partners_of
from partnerships.conversations import queries, services
from partnerships.conversations.forms import (
    AgreeForm,
    AnswerForm,
    BecomeForm,
    ChooseForm,
    ConfirmForm,
    ConversationForm,
    CorrectionForm,
    FilterForm,
    NoteForm,
    ReasonForm,
    initial_of,
)
from partnerships.conversations.models import (
    Conversation,
    Correction,
    Point,
    PrivateNote,
)
from partnerships.conversations.rights import Rights, rights_over
from partnerships.exchange.models import Entry
from partnerships.kit.forms import active_filters
from partnerships.kit.http import keyset_page, posted
from partnerships.organisations.models import EDITING_ROLES, Organisation, OrganisationQuerySet
from partnerships.organisations.queries import find_organisations
from partnerships.organisations.timeline import TimelineLine, timeline_lines
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.people.told import noting_told

#: Limit of sides for one form; with more, the writer first chooses who took part.
_MAX_SIDES = 4


@require_safe
def conversation_list(request: HttpRequest) -> HttpResponse:
    """Conversations the person may see, newest first, and quiet partnerships."""
    user = signed_in(request)
    form = FilterForm(request.GET, user=user)
    rows = Conversation.objects.visible_to(user)
    if form.is_valid():
        chosen = form.cleaned_data
        wanted = {name: chosen[name] for name in ("status", "theme", "partnership") if chosen[name]}
        rows = rows.filter(**wanted)
        if chosen["words"]:
            rows = rows.filter(subject__icontains=chosen["words"])
    context = {
        "form": form,
        "page": keyset_page(request, rows.for_listing(), order=("-held_on", "-pk")),
        "chips": active_filters(form, request.GET),
        "quiet": queries.gone_quiet(user, timezone.now()),
        "may_record": Organisation.objects.of_person(user, *EDITING_ROLES).exists(),
    }
    partial = bool(getattr(request, "htmx", False))
    return render(request, "conversations/_results.html" if partial else "conversations/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Record or plan a conversation; the other sides are chosen first.

    That step is skipped if the address names them.
    """
    user = signed_in(request)
    mine = Organisation.objects.of_person(user, *EDITING_ROLES).order_by("name", "pk")
    if not mine.exists():
        raise PermissionDenied
    partnership = _partnership(request, user)
    keeper = _keeper(request, mine, partnership)
    others = _others(request, user, keeper, partnership)
    if not others:
        return _choose(request, user, keeper, partnership=partnership)
    planned = request.GET.get("state") == "planned"
    form = ConversationForm(
        posted(request),
        user=user,
        keeper=keeper,
        others=others,
        initial={
            "partnership": partnership or queries.only_shared_partnership(user, [keeper, *others]),
            "state": "planned" if planned else "held",
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = services.record_conversation(
                organisation=keeper, record=form.record, key=form.cleaned_data["key"], author=user, now=timezone.now()
            )
        except services.UnableToRecord as error:
            form.add_error(None, str(error))
        else:
            words = "is planned; the other side sees the date" if made.is_planned else "is kept as a draft"
            messages.success(request, f"“{made.subject}” {words}.")
            return redirect(made)
    context = {"form": form, "keeper": keeper, "others": others, "partnership": partnership}
    return _answer(request, "conversations/new.html", context, form)


def _number(text: str) -> int | None:
    """An id from the address, or None."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def _partnership(request: HttpRequest, user: User) -> Partnership | None:
    number = _number(request.GET.get("partnership", ""))
    if number is None:
        return None
    return get_object_or_404(Partnership.objects.present_for(user, *EDITING_ROLES), pk=number)


def _keeper(request: HttpRequest, mine: OrganisationQuerySet, partnership: Partnership | None) -> Organisation:
    """The organisation that keeps the record.

    The one named in the address, else a party, else the person's first.
    """
    number = _number(request.GET.get("for", ""))
    if number is not None:
        return get_object_or_404(mine, pk=number)
    if partnership is not None:
        party = mine.filter(pk__in=partnership.parties.present().values("organisation")).first()
        if party is not None:
            return party
    return mine[0]


def _others(
    request: HttpRequest, user: User, keeper: Organisation, partnership: Partnership | None
) -> list[Organisation]:
    """The other sides: as named in the address, or the only other party."""
    if "choose" in request.GET:
        return []
    named = _named(request, user, keeper)
    if named or partnership is None:
        return named
    # Observers rarely take part, and would have to agree to the record.
    taking_part = partnership.parties.present().exclude(role=PartyRole.OBSERVER).exclude(organisation=keeper)
    others = [party.organisation for party in taking_part.select_related("organisation")[:2]]
    return others if len(others) == 1 else []


def _named(request: HttpRequest, user: User, keeper: Organisation) -> list[Organisation]:
    """Organisations named in the address, except the keeper."""
    numbers = [number for text in request.GET.getlist("with") if (number := _number(text)) is not None]
    bodies = Organisation.objects.visible_to(user).exclude(pk=keeper.pk).order_by("name", "pk")
    return list(bodies.filter(pk__in=numbers)[:_MAX_SIDES]) if numbers else []


def _choose(
    request: HttpRequest,
    user: User,
    keeper: Organisation,
    *,
    partnership: Partnership | None = None,
    chosen: Sequence[Organisation] = (),
    back: str = "",
) -> HttpResponse:
    """Choose the other sides: parties, known partners or a search result."""
    if request.method == "POST":
        raise Http404
    text = request.GET.get("find", "").strip()[:100]
    kept = _named(request, user, keeper) or list(chosen)
    found = find_organisations(user=user, text=text).exclude(pk=keeper.pk).order_by("name", "pk")
    form = ChooseForm(
        request.GET if "chosen" in request.GET and not kept else None,
        partners=partners_of(user).exclude(pk=keeper.pk),
        parties=_parties(partnership, keeper, kept) if partnership else None,
        initial={
            "chosen": True,
            "others": [body.pk for body in kept],
            "partnership": partnership.pk if partnership else None,
            "keeper": _number(request.GET.get("for", "")),
        },
    )
    if form.is_bound and form.is_valid():
        form.add_error("others", "Choose at least one organisation that took part.")
    context = {
        "form": form,
        "find": text,
        "found": found[:20] if text else [],
        "kept": kept,
        "partnership": partnership,
        "keeper": keeper,
        "back": back,
    }
    return _answer(request, "conversations/choose.html", context, form)


def _parties(partnership: Partnership, keeper: Organisation, kept: Sequence[Organisation]) -> dict[int, str]:
    """Roles of the other parties and of sides already chosen, by id."""
    parties = partnership.parties.present().exclude(organisation=keeper).select_related("organisation")
    words = {
        party.organisation_id: f"{party.organisation.name}{' (observer)' if party.role == PartyRole.OBSERVER else ''}"
        for party in parties.order_by("organisation__name", "pk")
    }
    return words | {body.pk: body.name for body in kept if body.pk not in words}


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One conversation: attendees, record, points, next steps and status."""
    user = signed_in(request)
    conversation = get_object_or_404(queries.with_story(Conversation.objects.visible_to(user)), pk=pk)
    own = set(Organisation.objects.of_person(user).values_list("pk", flat=True))
    rights = rights_over(conversation, user, timezone.now())
    actions = list(
        Commitment.objects.visible_to(user).filter(next_step__conversation=conversation).for_listing().order_by("pk")
    )
    shown = {action.pk for action in actions}
    sides = queries.points_shown(conversation, own)
    queries.show_entries(sides, user)
    queries.let_act(sides, {side.pk for side in rights.sides})
    if not queries.partnerships_known_to(user, [conversation]):
        conversation.partnership = None
    elif conversation.partnership is not None:
        conversation.partnership = as_read_by(user, conversation.partnership)
    context = {
        "conversation": conversation,
        "rights": rights,
        "seats": queries.seats_shown(conversation, own),
        "sides": sides,
        "corrections": conversation.corrections.all(),
        "nobody_left": rights.may_answer and not rights.to_agree_for and not queries.sides_to_ask(conversation),
        "own": own,
        "notes": queries.private_notes_of(conversation, user),
        "actions": actions,
        "steps": [step for step in conversation.next_steps.all() if step.action_id not in shown],
        "commitments": Commitment.objects.visible_to(user)
        .filter(from_conversations__conversation=conversation)
        .for_listing(),
        "entries": Entry.objects.visible_to(user).filter(from_points__point__conversation=conversation),
        "lines": _lines(user, conversation),
    }
    return render(request, "conversations/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the record."""
    user = signed_in(request)
    conversation = get_object_or_404(queries.with_story(Conversation.objects.visible_to(user)), pk=pk)
    _require(rights_over(conversation, user, timezone.now()).keeps)
    if not conversation.is_editable:
        messages.warning(request, f"The record is {conversation.get_status_display().lower()} and stays as it is.")
        return redirect(conversation)
    keeper = conversation.organisation
    sides = [side.organisation for side in conversation.sides.all() if side.organisation_id != keeper.pk]
    if "choose" in request.GET:
        return _choose(
            request,
            user,
            keeper,
            partnership=conversation.partnership,
            chosen=sides,
            back=reverse("conversations:edit", args=[pk]),
        )
    others = _named(request, user, keeper) or sides
    note = PrivateNote.objects.visible_to(user).filter(conversation=conversation, organisation=keeper).first()
    form = ConversationForm(
        posted(request),
        user=user,
        keeper=keeper,
        others=others,
        seated=[(seat.person_id, seat.organisation_id) for seat in conversation.attendees.all() if seat.person_id],
        steps=sum(step.action_id is None for step in conversation.next_steps.all()),
        initial=initial_of(conversation, note),
        cancel=conversation.get_absolute_url(),
        submit="Save the record",
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.edit_conversation(
                conversation=conversation,
                record=form.record,
                revision=form.cleaned_data["revision"] or 0,
                author=user,
                now=timezone.now(),
            )
        except services.UnableToRecord as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"The record of “{conversation.subject}” is changed.")
            return redirect(conversation)
    return _answer(request, "conversations/edit.html", {"form": form, "conversation": conversation}, form)


@require_http_methods(["GET", "HEAD", "POST"])
def circulate(request: HttpRequest, pk: int) -> HttpResponse:
    """Circulate the record and email its attendees."""
    user, conversation, rights = _opened(request, pk)
    _require(rights.keeps)
    form = ConfirmForm(posted(request), submit="Circulate this record", cancel=conversation.get_absolute_url())
    if request.method == "POST" and form.is_valid():
        try:
            with noting_told() as told:
                services.circulate(conversation=conversation, author=user, now=timezone.now())
        except services.UnableToCirculate as error:
            messages.warning(request, str(error))
            return redirect(conversation)
        names = told.words() or " Nobody is told by email."
        messages.success(request, f"“{conversation.subject}” is circulated.{names}")
        return redirect(conversation)
    context = {"form": form, "conversation": conversation, "told": _told(conversation, user)}
    return _answer(request, "conversations/circulate.html", context, form)


def _told(conversation: Conversation, author: User) -> list[User]:
    """Recipients: attendees who may read the record, except the author."""
    return list(queries.attendees_with_access(conversation).exclude(pk=author.pk))


@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel a planned conversation."""
    user, conversation, rights = _opened(request, pk)
    _require(rights.keeps)
    form = ReasonForm(posted(request), submit="Call it off", cancel=conversation.get_absolute_url())
    if request.method == "POST" and form.is_valid():
        try:
            services.cancel_planned(
                conversation=conversation, reason=form.cleaned_data["reason"], author=user, now=timezone.now()
            )
        except services.UnableToCancel as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"“{conversation.subject}” is called off.")
            return redirect(conversation)
    return _answer(request, "conversations/cancel.html", {"form": form, "conversation": conversation}, form)


@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Suggest a correction for one's own side."""
    user, conversation, rights = _opened(request, pk)
    _require(bool(rights.other_sides))
    form = CorrectionForm(posted(request), conversation=conversation)
    if request.method == "POST" and form.is_valid():
        try:
            services.suggest_correction(
                conversation=conversation,
                organisation=rights.other_sides[0],
                text=form.cleaned_data["text"],
                author=user,
                now=timezone.now(),
            )
        except services.UnableToCorrect as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{conversation.organisation.display_name} sees your correction and answers it.")
            return redirect(conversation)
    return _answer(request, "conversations/correct.html", {"form": form, "conversation": conversation}, form)


@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer a correction for the keeper."""
    user = signed_in(request)
    seen = Conversation.objects.visible_to(user)
    correction = get_object_or_404(
        Correction.objects.filter(conversation__in=seen).select_related("conversation__organisation", "organisation"),
        pk=pk,
    )
    conversation = correction.conversation
    _require(rights_over(conversation, user, timezone.now()).keeps)
    form = AnswerForm(posted(request), conversation=conversation)
    if request.method == "POST" and form.is_valid():
        try:
            services.answer_correction(
                correction=correction,
                taken_up=form.cleaned_data["verdict"] == "yes",
                answer=form.cleaned_data["answer"],
                author=user,
                now=timezone.now(),
            )
        except services.UnableToCorrect as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "The correction is answered.")
            return redirect(conversation)
    own = set(Organisation.objects.of_person(user).values_list("pk", flat=True))
    context = {"form": form, "conversation": conversation, "correction": correction, "own": own}
    return _answer(request, "conversations/answer.html", context, form)


@require_http_methods(["GET", "HEAD", "POST"])
def agree(request: HttpRequest, pk: int) -> HttpResponse:
    """Agree to the record for one's own side."""
    user, conversation, rights = _opened(request, pk)
    _require(rights.edits)
    organisation = (*rights.to_agree_for, *rights.sides)[0]
    form = AgreeForm(posted(request), conversation=conversation, organisation=organisation)
    if request.method == "POST" and form.is_valid():
        try:
            agreed = services.agree_record(
                conversation=conversation,
                organisation=organisation,
                revision=form.cleaned_data["revision"],
                author=user,
                now=timezone.now(),
            )
        except services.UnableToAgree as error:
            form.add_error(None, str(error))
        else:
            locked = " All sides agree: the record is locked." if agreed.is_locked else ""
            messages.success(request, f"You agreed to the record for {organisation.display_name}.{locked}")
            return redirect(conversation)
    context = {"form": form, "conversation": conversation, "organisation": organisation}
    return _answer(request, "conversations/agree.html", context, form)


@require_http_methods(["GET", "HEAD", "POST"])
def private_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit one's own organisation's private note."""
    user, conversation, rights = _opened(request, pk)
    _require(rights.edits)
    organisation = rights.sides[0]
    notes = PrivateNote.objects.visible_to(user)
    found = notes.filter(conversation=conversation, organisation=organisation).first()
    initial = {"text": found.text if found else "", "revision": found.revision if found else 0}
    form = NoteForm(posted(request), conversation=conversation, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.write_private_note(
                conversation=conversation,
                organisation=organisation,
                **form.cleaned_data,
                author=user,
                now=timezone.now(),
            )
        except services.UnableToNote as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"The note is kept for {organisation.display_name} alone.")
            return redirect(conversation)
    context = {"form": form, "conversation": conversation, "organisation": organisation}
    return _answer(request, "conversations/note.html", context, form)


@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a point."""
    user, point, rights = _point(request, pk)
    _require(any(side.pk == point.organisation_id for side in rights.sides))
    back = _back(request, point)
    form = ReasonForm(posted(request), submit="Close it", cancel=back)
    if request.method == "POST" and form.is_valid():
        try:
            services.close_point(point=point, reason=form.cleaned_data["reason"], author=user, now=timezone.now())
        except services.UnableToChangePoint as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"The {point.get_kind_display().lower()} is closed.")
            return redirect(back)
    return _answer(request, "conversations/close.html", {"form": form, "point": point, "back": back}, form)


@require_http_methods(["GET", "HEAD", "POST"])
def become(request: HttpRequest, pk: int) -> HttpResponse:
    """Make an ask of an obstacle, or an offer of an opportunity."""
    user, point, rights = _point(request, pk)
    if not point.direction:
        raise Http404
    mine = [side for side in rights.sides if point.direction == "offer" or side.pk == point.organisation_id]
    _require(bool(mine))
    able = queries.who_may_be_asked(point.conversation, mine[0])
    back = _back(request, point)
    form = BecomeForm(posted(request), point=point, able=able, cancel=back)
    if request.method == "POST" and form.is_valid():
        try:
            entry = services.turn_into_entry(
                point=point, organisation=mine[0], **form.cleaned_data, author=user, now=timezone.now()
            )
        except services.UnableToChangePoint as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"The {point.direction} is drafted. Share it when it is ready.")
            return redirect(entry.get_absolute_url())
    context = {"form": form, "point": point, "organisation": mine[0], "able": able, "back": back}
    return _answer(request, "conversations/become.html", context, form)


def _lines(user: User, conversation: Conversation) -> list[TimelineLine]:
    """Timeline, newest first, without the conversation's own title."""
    return [replace(line, subject="") for line in timeline_lines(queries.story_of(conversation, user)[:100])]


def _back(request: HttpRequest, point: Point) -> str:
    """Where the person came from: the partnership's page, or the record."""
    partnership = point.conversation.partnership_id
    if partnership and request.GET.get("from") == "partnership":
        return reverse("web:partnership-conversations", args=[partnership])
    return point.conversation.get_absolute_url()


def _point(request: HttpRequest, pk: int) -> tuple[User, Point, Rights]:
    """The person, a point whose side they may know, and their rights.

    Rights over the point's conversation.
    """
    user = signed_in(request)
    seen = Point.objects.visible_to(user).select_related("conversation__organisation", "organisation")
    point = get_object_or_404(seen, pk=pk)
    return user, point, rights_over(point.conversation, user, timezone.now())


def _opened(request: HttpRequest, pk: int) -> tuple[User, Conversation, Rights]:
    """The person, the conversation they may see, and their rights."""
    user = signed_in(request)
    conversation = get_object_or_404(Conversation.objects.visible_to(user).for_listing(), pk=pk)
    return user, conversation, rights_over(conversation, user, timezone.now())


def _require(allowed: bool) -> None:
    """Raise 403 for somebody who sees the record but may not do this."""
    if not allowed:
        raise PermissionDenied


def _answer(request: HttpRequest, template: str, context: dict[str, Any], form: BaseForm) -> HttpResponse:
    """The page; status 422 when the form has errors."""
    return render(request, template, context, status=422 if form.errors else 200)
