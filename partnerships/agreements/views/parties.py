"""Pages of a partnership's parties.

`require` answers 403 if its condition is false.
"""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.departures import consequences_of_leaving
from partnerships.agreements.former_parties import former_party, parties_when_left
from partnerships.agreements.forms import InvitationAnswerForm, InviteForm, ReasonForm, RoleForm
from partnerships.agreements.models import Partnership, Party
from partnerships.agreements.queries.parties import name_as_at, with_predecessors
from partnerships.agreements.queries.terms import in_force_lookup, must_give_notice, unbound_organisation_ids
from partnerships.agreements.rights import rights_lookup, rights_over
from partnerships.agreements.services import (
    UnableToAnswer,
    UnableToChangeParty,
    UnableToInvite,
    UnableToLeave,
    answer_invitation,
    change_party_role,
    invite_organisation,
    leave_partnership,
    remove_party,
)
from partnerships.agreements.views.access import get_led, get_readable, get_visible, visible_lookup
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.http import form_page, post_data, row_number, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.organisations.queries import find_organisations
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in

#: How many search results the page to invite an organisation shows.
MAX_RESULTS = 20


@require_safe
def members(request: HttpRequest, pk: int) -> HttpResponse:
    """List the present, invited, declined and former parties."""
    user, now = signed_in(request), timezone.now()
    read_ahead([visible_lookup(user, pk), rights_lookup(pk, now), lookup(_parties, pk), in_force_lookup(pk)])
    partnership = get_readable(user, pk)
    former = former_party(user, partnership)
    rights = rights_over(partnership, user, now)
    parties = rows_for(_parties, pk) if former is None else parties_when_left(former)
    # A party that left is shown under the name that it had on that day.
    name_as_at(partnership, parties, left_at=former.left_at if former else None)
    return render(
        request,
        "agreements/members.html",
        {
            "partnership": partnership,
            "present_parties": [party for party in parties if party.is_present],
            "invited_parties": [party for party in parties if party.is_waiting],
            "past_parties": [party for party in parties if not party.is_present and not party.is_waiting],
            # Organisations that have not signed the terms in force.
            "unbound_ids": set() if former else unbound_organisation_ids(partnership, timezone.localdate()),
            "may_lead": not partnership.is_over and rights.leads,
            "led_ids": rights.roles.led_ids,
        },
    )


def _parties(partnership_id: int) -> QuerySet[Party]:
    """Return all parties of a partnership, in the order of the page."""
    return with_predecessors(Party.objects.filter(partnership=partnership_id).by_role_and_name())


@require_http_methods(["GET", "HEAD", "POST"])
def party_invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Search for an organisation. On POST, invite the chosen organisation to the partnership."""
    user = signed_in(request)
    partnership = get_led(user, pk)
    text = request.GET.get("q", "")[:200].strip()
    if request.method == "POST":
        return _invite_chosen_organisation(request, user, partnership, text)

    matches = _organisations_to_invite(user, partnership, text) if text else []
    candidates = Organisation.objects.filter(pk__in=[match.pk for match in matches]).order_by("name", "pk")
    form = InviteForm(candidates=candidates, partnership=partnership)
    context = {"form": form, "partnership": partnership, "q": text, "has_matches": bool(matches)}
    return render(request, "agreements/invite.html", context)


def _invite_chosen_organisation(request: HttpRequest, user: User, partnership: Partnership, text: str) -> HttpResponse:
    """Invite the organisation in the posted form, or show the form again with what is wrong."""
    # Accept any organisation, because the person may have changed the search text after choosing.
    form = InviteForm(request.POST, candidates=Organisation.objects.visible_to(user), partnership=partnership)
    if form.is_valid():
        with show_refusal(form, UnableToInvite, field="organisation"):
            with collect_recipients() as recipients:
                party = invite_organisation(
                    partnership=partnership, author=user, now=timezone.now(), **form.cleaned_data
                )
            _confirm_invitation(request, party.organisation, recipients.sentence())
            return redirect("agreements:members", pk=partnership.pk)

    # Offer only the chosen organisation now. The form would otherwise list the whole directory.
    chosen_id = row_number(request.POST.get("organisation", ""))
    chosen_ids = [] if chosen_id is None else [chosen_id]
    model_choice_field(form, "organisation").queryset = Organisation.objects.filter(pk__in=chosen_ids)
    context = {"form": form, "partnership": partnership, "q": text, "has_matches": True}
    return render(request, "agreements/invite.html", context, status=422)


def _organisations_to_invite(user: User, partnership: Partnership, text: str) -> list[Organisation]:
    """Return the first organisations that match the text and neither take part nor are invited."""
    party_organisations = partnership.parties.invited_or_accepted().values("organisation")
    matches = find_organisations(user=user, text=text).current().exclude(pk__in=party_organisations)
    return list(matches.order_by("name", "pk")[:MAX_RESULTS])


def _confirm_invitation(request: HttpRequest, organisation: Organisation, recipients: str) -> None:
    """Show a message that the organisation was invited, and what to do if it has no lead who could answer."""
    if Membership.objects.current().filter(organisation=organisation, role=Role.LEAD).exists():
        messages.success(request, f"{organisation.name} has been invited.{recipients}")
        return
    ask_url = f"{reverse('organisations:ask')}?{urlencode({'name': organisation.name})}"
    message = format_html(
        '{} has been invited, but it has no lead here yet, so nobody was emailed. <a class="govuk-link" href="{}">Ask '
        "an administrator</a> to invite its first lead, who can then answer the invitation.",
        organisation.name,
        ask_url,
    )
    messages.warning(request, message)


def _party(user: User, pk: int, party_id: int) -> Party:
    """Return a party of a partnership that the person may read in full today, or raise 404."""
    return get_object_or_404(
        Party.objects.select_related("organisation", "partnership", "invited_by"),
        pk=party_id,
        partnership=pk,
        partnership__in=Partnership.objects.readable_today_by(user),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def party_answer(request: HttpRequest, pk: int, party: int) -> HttpResponse:
    """Accept or decline an invitation for an organisation that the reader leads.

    If the invitation has already been answered, redirect to the partnership.
    """
    user = signed_in(request)
    invited_party = _party(user, pk, party)
    partnership = invited_party.partnership
    require(rights_over(partnership, user, timezone.now()).may_answer(invited_party))
    if not invited_party.is_waiting:
        return redirect("agreements:detail", pk=pk)

    form = InvitationAnswerForm(post_data(request))
    if request.method == "POST" and form.is_valid():
        accept = form.cleaned_data["answer"] == "accept"
        with show_refusal(form, UnableToAnswer, field="reason"):
            with collect_recipients() as recipients:
                answer_invitation(
                    party=invited_party,
                    accept=accept,
                    reason=form.cleaned_data["reason"],
                    author=user,
                    now=timezone.now(),
                )
            name, title = invited_party.organisation.name, partnership.title
            if accept:
                messages.success(request, f"{name} takes part in {title}.{recipients.sentence()}")
                return redirect("agreements:detail", pk)
            messages.success(request, f"{name} has declined to take part in {title}.{recipients.sentence()}")
            # People of an organisation that declined may no longer see the partnership.
            return redirect("agreements:list")

    other_parties = partnership.parties.invited_or_accepted().exclude(pk=invited_party.pk)
    return form_page(
        request,
        "agreements/answer.html",
        form,
        party=invited_party,
        partnership=partnership,
        other_parties=other_parties.select_related("organisation").order_by("pk"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def party_role(request: HttpRequest, pk: int, party: int) -> HttpResponse:
    """Change the role of a party in a partnership that the reader leads."""
    user = signed_in(request)
    partnership = get_led(user, pk)
    party_to_change = _party(user, pk, party)
    form = RoleForm(post_data(request), party=party_to_change)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToChangeParty, field="role"):
            with collect_recipients() as recipients:
                change_party_role(
                    party=party_to_change,
                    role=form.cleaned_data["role"],
                    reason=form.cleaned_data["reason"],
                    author=user,
                    now=timezone.now(),
                )
            message = f"{party_to_change.organisation.name} is now {party_to_change.get_role_display().lower()}."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect("agreements:members", pk)

    return form_page(request, "agreements/party_role.html", form, party=party_to_change, partnership=partnership)


@require_http_methods(["GET", "HEAD", "POST"])
def party_remove(request: HttpRequest, pk: int, party: int) -> HttpResponse:
    """Remove a party from a partnership that the reader leads, or withdraw the party's invitation."""
    user = signed_in(request)
    get_led(user, pk)
    party_to_remove = _party(user, pk, party)
    name = party_to_remove.organisation.name
    if party_to_remove.is_waiting:
        submit, message = "Withdraw invitation", f"The invitation of {name} has been withdrawn."
    else:
        submit, message = "Remove organisation", f"{name} has been removed from the partnership."
    members_page = reverse("agreements:members", args=[pk])
    form = ReasonForm(post_data(request), submit=submit, cancel=members_page)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToLeave):
            with collect_recipients() as recipients:
                remove_party(party=party_to_remove, reason=form.cleaned_data["reason"], author=user, now=timezone.now())
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(members_page)

    return form_page(
        request,
        "agreements/party_remove.html",
        form,
        party=party_to_remove,
        partnership=party_to_remove.partnership,
        consequences=consequences_of_leaving(party_to_remove, user) if party_to_remove.is_present else [],
    )


@require_http_methods(["GET", "HEAD", "POST"])
def party_leave(request: HttpRequest, pk: int, party: int) -> HttpResponse:
    """Leave the partnership, for an organisation that the reader leads.

    If the partnership requires notice, redirect to the form to give notice, or to the notice that is already open.
    """
    user = signed_in(request)
    get_visible(user, pk)
    leaving_party = _party(user, pk, party)
    partnership, organisation = leaving_party.partnership, leaving_party.organisation
    if not leaving_party.is_present:
        raise Http404
    require(rights_over(partnership, user, timezone.now()).may_leave(leaving_party))
    if must_give_notice(partnership, leaving_party, timezone.localdate()):
        if partnership.notices.pending().filter(organisation=organisation).exists():
            return redirect("agreements:dates", pk=pk)
        return redirect("agreements:notice", pk=pk, party=party)

    members_page = reverse("agreements:members", args=[pk])
    form = ReasonForm(post_data(request), submit="Leave the partnership", cancel=members_page)
    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToLeave):
            with collect_recipients() as recipients:
                leave_partnership(
                    party=leaving_party, reason=form.cleaned_data["reason"], author=user, now=timezone.now()
                )
            message = f"{organisation.name} has left {partnership.title}."
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect("agreements:detail", pk)

    return form_page(
        request,
        "agreements/leave.html",
        form,
        party=leaving_party,
        partnership=partnership,
        consequences=consequences_of_leaving(leaving_party, user),
    )
