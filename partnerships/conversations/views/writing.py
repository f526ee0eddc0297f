"""Pages to write, change and cancel the record of a conversation."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from partnerships.agreements.models import Partnership, PartyRole
from partnerships.agreements.origin import record_named_in
from partnerships.conversations import queries, services
from partnerships.conversations.forms.reasons import ReasonForm
from partnerships.conversations.forms.record import ConversationForm, initial_of_record
from partnerships.conversations.models import Conversation, PrivateNote
from partnerships.conversations.rights import rights_over
from partnerships.conversations.views.choosing import PASSED_ON, choose_sides, list_of, named_sides
from partnerships.conversations.views.fetching import open_conversation
from partnerships.kit.http import form_page, post_data, row_number, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import EDITING_ROLES, Organisation, OrganisationQuerySet
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def new_record(request: HttpRequest) -> HttpResponse:
    """Record or plan a conversation. The other sides are chosen first, unless the URL names them.

    The URL `?from=result-12&partnership=3` names the record that the conversation comes from, and its partnership.
    """
    user = signed_in(request)
    own_organisations = Organisation.objects.of_person(user, *EDITING_ROLES).order_by("name", "pk")
    if not own_organisations.exists():
        raise PermissionDenied

    partnership = _partnership(request, user)
    keeper = _keeper(request, own_organisations, partnership)
    came_from = record_named_in(request.GET.get("from", ""), Conversation)
    suggestion = None
    if came_from is not None and partnership is not None:
        suggestion = came_from.origin.suggest(user, partnership, came_from.record)
    if request.GET.get("from") and suggestion is None:
        # There is no such record, or the person may not start a conversation from the record.
        raise Http404
    other_sides = _other_sides(request, user, keeper, partnership)
    if not other_sides:
        return choose_sides(request, user, keeper, partnership=partnership)

    initial = {
        "partnership": partnership or queries.only_shared_partnership(user, [keeper, *other_sides]),
        "state": "planned" if request.GET.get("state") == "planned" else "held",
        "subject": suggestion.text if suggestion else "",
    }
    form = ConversationForm(post_data(request), user=user, keeper=keeper, others=other_sides, initial=initial)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToRecord):
            conversation = services.record_conversation(
                organisation=keeper,
                record=form.record,
                key=form.cleaned_data["key"],
                came_from=came_from,
                author=user,
                now=timezone.now(),
            )
            messages.success(request, _saved_message(conversation))
            return redirect(conversation)

    return form_page(
        request,
        "conversations/new.html",
        form,
        keeper=keeper,
        others=other_sides,
        suggested=suggestion,
        choose_href=_choose_url(request, keeper, partnership),
        back=list_of(partnership),
    )


def _saved_message(conversation: Conversation) -> str:
    """Return the message after a conversation was recorded or planned."""
    if conversation.is_planned:
        return f"“{conversation.subject}” has been planned. The other side can see the date."
    return f"“{conversation.subject}” has been saved as a draft."


def _choose_url(request: HttpRequest, keeper: Organisation, partnership: Partnership | None) -> str:
    """Return the URL on which the person chooses the other sides again."""
    parameters: dict[str, str | int] = {"choose": 1, "for": keeper.pk}
    if partnership:
        parameters["partnership"] = partnership.pk
    parameters |= {name: request.GET[name] for name in PASSED_ON if request.GET.get(name)}
    return f"{reverse('conversations:new')}?{urlencode(parameters)}"


def _partnership(request: HttpRequest, user: User) -> Partnership | None:
    """Return the partnership that the URL names, or None if it names none.

    Raises Http404 unless the person edits for one of the parties.
    """
    number = row_number(request.GET.get("partnership", ""))
    if number is None:
        return None
    return get_object_or_404(Partnership.objects.with_party_of(user, *EDITING_ROLES), pk=number)


def _keeper(
    request: HttpRequest, own_organisations: OrganisationQuerySet, partnership: Partnership | None
) -> Organisation:
    """Return the organisation that keeps the record.

    It is the organisation that the URL names, or else the person's first organisation that is a party,
    or else their first organisation.
    """
    number = row_number(request.GET.get("for", ""))
    if number is not None:
        return get_object_or_404(own_organisations, pk=number)
    if partnership is not None:
        party = own_organisations.filter(pk__in=partnership.parties.accepted().values("organisation")).first()
        if party is not None:
            return party
    return own_organisations[0]


def _other_sides(
    request: HttpRequest, user: User, keeper: Organisation, partnership: Partnership | None
) -> list[Organisation]:
    """Return the other sides: the organisations that the URL names, or the only other party.

    Returns no sides if the person must choose.
    """
    if "choose" in request.GET:
        return []
    named_organisations = named_sides(request, user, keeper)
    if named_organisations or partnership is None:
        return named_organisations
    # Observers are left out, because they rarely take part and would have to agree to the record.
    other_parties = partnership.parties.accepted().exclude(role=PartyRole.OBSERVER).exclude(organisation=keeper)
    # Two parties are enough to know that there is a choice.
    first_parties = list(other_parties.select_related("organisation")[:2])
    return [first_parties[0].organisation] if len(first_parties) == 1 else []


@require_http_methods(["GET", "HEAD", "POST"])
def edit_record(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the record of a conversation, until all sides agree to it."""
    user = signed_in(request)
    conversation = get_object_or_404(queries.with_related_rows(Conversation.objects.visible_to(user)), pk=pk)
    require(rights_over(conversation, user, timezone.now()).keeps)
    if not conversation.is_editable:
        messages.warning(request, f"The record is {conversation.status_words}, so you can no longer change it.")
        return redirect(conversation)

    keeper = conversation.organisation
    recorded_sides = [side.organisation for side in conversation.sides.all() if side.organisation_id != keeper.pk]
    if "choose" in request.GET:
        return choose_sides(
            request,
            user,
            keeper,
            partnership=conversation.partnership,
            chosen=recorded_sides,
            back=reverse("conversations:edit", args=[pk]),
        )

    form = _edit_form(request, user, conversation, others=named_sides(request, user, keeper) or recorded_sides)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToRecord):
            services.edit_conversation(
                conversation=conversation,
                record=form.record,
                revision=form.cleaned_data["revision"] or 0,
                author=user,
                now=timezone.now(),
            )
            messages.success(request, f"The record of “{conversation.subject}” has been saved.")
            return redirect(conversation)

    return form_page(request, "conversations/edit.html", form, conversation=conversation)


def _edit_form(
    request: HttpRequest, user: User, conversation: Conversation, *, others: Sequence[Organisation]
) -> ConversationForm:
    """Return the form to edit the record, filled with the record and the keeper's private note."""
    keeper = conversation.organisation
    note = PrivateNote.objects.visible_to(user).filter(conversation=conversation, organisation=keeper).first()
    attendees = conversation.attendees.all()
    steps_without_action = [step for step in conversation.next_steps.all() if step.action_id is None]
    return ConversationForm(
        post_data(request),
        user=user,
        keeper=keeper,
        others=others,
        attendee_ids=[(seat.person_id, seat.organisation_id) for seat in attendees if seat.person_id],
        steps=len(steps_without_action),
        initial=initial_of_record(conversation, note),
        cancel=conversation.get_absolute_url(),
        submit="Save the record",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def cancel_record(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel a planned conversation for its keeper, with a reason."""
    user, conversation, rights = open_conversation(request, pk)
    require(rights.keeps)
    form = ReasonForm(post_data(request), submit="Cancel conversation", cancel=conversation.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToCancel):
            services.cancel_planned(
                conversation=conversation, reason=form.cleaned_data["reason"], author=user, now=timezone.now()
            )
            messages.success(request, f"“{conversation.subject}” has been cancelled.")
            return redirect(conversation)

    return form_page(request, "conversations/cancel.html", form, conversation=conversation)
