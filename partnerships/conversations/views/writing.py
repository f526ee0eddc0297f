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
from partnerships.conversations.views.choosing import (
    choose_organisations,
    kept_parameters_in,
    list_of,
    organisations_in_url,
)
from partnerships.conversations.views.fetching import open_conversation
from partnerships.kit.http import form_page, post_data, row_number, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import EDITING_ROLES, Organisation, OrganisationQuerySet
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def new_record(request: HttpRequest) -> HttpResponse:
    """Record or plan a conversation. The person first chooses the other organisations, unless the URL names them.

    The URL can also name the record that the conversation comes from, and its partnership. For example,
    `?from=result-12&partnership=3`.
    """
    user = signed_in(request)
    own_organisations = Organisation.objects.of_person(user, *EDITING_ROLES).order_by("name", "pk")
    if not own_organisations.exists():
        raise PermissionDenied

    partnership = _partnership(request, user)
    own_organisation = _own_organisation(request, own_organisations, partnership)
    came_from = record_named_in(request.GET.get("from", ""), Conversation)
    suggestion = None
    if came_from is not None and partnership is not None:
        suggestion = came_from.origin.suggest(user, partnership, came_from.record)
    if request.GET.get("from") and suggestion is None:
        # There is no such record, or the person may not start a conversation from the record.
        raise Http404
    other_organisations = _other_organisations(request, user, own_organisation, partnership)
    if not other_organisations:
        return choose_organisations(request, user, own_organisation, partnership=partnership)

    organisations = [own_organisation, *other_organisations]
    form = ConversationForm(
        post_data(request),
        user=user,
        own_organisation=own_organisation,
        other_organisations=other_organisations,
        initial={
            "partnership": partnership or queries.only_shared_partnership(user, organisations),
            "state": "planned" if request.GET.get("state") == "planned" else "held",
            "subject": suggestion.text if suggestion else "",
        },
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToRecord):
            conversation = services.record_conversation(
                organisation=own_organisation,
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
        own_organisation=own_organisation,
        other_organisations=other_organisations,
        suggestion=suggestion,
        choose_href=_choose_url(request, own_organisation, partnership),
        back=list_of(partnership),
    )


def _saved_message(conversation: Conversation) -> str:
    """Return the message after a conversation was recorded or planned."""
    if conversation.is_planned:
        return f"“{conversation.subject}” has been planned. The other organisations can see the date."
    return f"“{conversation.subject}” has been saved as a draft."


def _choose_url(request: HttpRequest, own_organisation: Organisation, partnership: Partnership | None) -> str:
    """Return the URL of the page on which the person chooses the other organisations again."""
    parameters: dict[str, str | int] = {"choose": 1, "for": own_organisation.pk}
    if partnership:
        parameters["partnership"] = partnership.pk
    parameters |= dict(kept_parameters_in(request))
    return f"{reverse('conversations:new')}?{urlencode(parameters)}"


def _partnership(request: HttpRequest, user: User) -> Partnership | None:
    """Return the partnership that the URL names, or None if it names none.

    Raises Http404 unless the person edits for one of the parties.
    """
    partnership_id = row_number(request.GET.get("partnership", ""))
    if partnership_id is None:
        return None
    return get_object_or_404(Partnership.objects.with_party_of(user, *EDITING_ROLES), pk=partnership_id)


def _own_organisation(
    request: HttpRequest, own_organisations: OrganisationQuerySet, partnership: Partnership | None
) -> Organisation:
    """Return the person's organisation that will keep the record.

    This is the organisation that the URL names (`?for=7`). Otherwise it is the first of their organisations in the
    partnership, or without a partnership the first of all.
    """
    organisation_id = row_number(request.GET.get("for", ""))
    if organisation_id is not None:
        return get_object_or_404(own_organisations, pk=organisation_id)
    if partnership is not None:
        party = own_organisations.filter(pk__in=partnership.parties.accepted().values("organisation")).first()
        if party is not None:
            return party
    return own_organisations[0]


def _other_organisations(
    request: HttpRequest, user: User, own_organisation: Organisation, partnership: Partnership | None
) -> list[Organisation]:
    """Return the other organisations in the conversation: those that the URL names, or the only other party.

    The list is empty if the person must choose.
    """
    if "choose" in request.GET:
        return []
    named_organisations = organisations_in_url(request, user, own_organisation)
    if named_organisations or partnership is None:
        return named_organisations
    # Observers are left out, because they rarely take part and would have to agree to the record.
    other_parties = partnership.parties.accepted().exclude(role=PartyRole.OBSERVER)
    other_parties = other_parties.exclude(organisation=own_organisation).select_related("organisation")
    # Two parties are enough to know that there is a choice.
    first_parties = list(other_parties[:2])
    return [first_parties[0].organisation] if len(first_parties) == 1 else []


@require_http_methods(["GET", "HEAD", "POST"])
def edit_record(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the record of a conversation, until all organisations that took part agree to it."""
    user = signed_in(request)
    conversation = get_object_or_404(queries.with_record(Conversation.objects.visible_to(user)), pk=pk)
    require(rights_over(conversation, user, timezone.now(), sides=conversation.sides.all()).keeps)
    if not conversation.is_editable:
        messages.warning(request, f"The record is {conversation.status_words}, so you can no longer change it.")
        return redirect(conversation)

    own_organisation = conversation.organisation
    organisations = [side.organisation for side in conversation.sides.all()]
    recorded_organisations = [organisation for organisation in organisations if organisation != own_organisation]
    if "choose" in request.GET:
        return choose_organisations(
            request,
            user,
            own_organisation,
            partnership=conversation.partnership,
            recorded_organisations=recorded_organisations,
            edit_url=reverse("conversations:edit", args=[pk]),
        )

    chosen_organisations = organisations_in_url(request, user, own_organisation) or recorded_organisations
    form = _edit_form(request, user, conversation, other_organisations=chosen_organisations)

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
    request: HttpRequest, user: User, conversation: Conversation, *, other_organisations: Sequence[Organisation]
) -> ConversationForm:
    """Return the form to edit the record, filled with the record and the organisation's own private note."""
    own_organisation = conversation.organisation
    notes = PrivateNote.objects.visible_to(user).filter(conversation=conversation)
    own_note = notes.filter(organisation=own_organisation).first()
    attendees = conversation.attendees.all()
    steps_without_action = [step for step in conversation.next_steps.all() if step.action_id is None]
    return ConversationForm(
        post_data(request),
        user=user,
        own_organisation=own_organisation,
        other_organisations=other_organisations,
        attendee_ids=[(seat.person_id, seat.organisation_id) for seat in attendees if seat.person_id],
        step_count=len(steps_without_action),
        initial=initial_of_record(conversation, own_note),
        cancel=conversation.get_absolute_url(),
        submit="Save the record",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def cancel_record(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel a planned conversation, with a reason, for the organisation that keeps the record."""
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
