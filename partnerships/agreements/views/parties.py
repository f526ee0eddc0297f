"""Pages of a partnership's parties."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.departures import consequences
from partnerships.agreements.forms import AnswerForm, InviteForm, ReasonForm, RoleForm
from partnerships.agreements.models import Partnership, Party, PartyStatus
from partnerships.agreements.past import former_party, parties_then
from partnerships.agreements.queries.parties import name_as_at, with_predecessors
from partnerships.agreements.queries.terms import leaves_after_notice, not_bound
from partnerships.agreements.rights import rights_over
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
from partnerships.agreements.views.access import held, led, seen
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.organisations.queries import find_organisations
from partnerships.people.form_steps import take_step
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in

#: Limit of search results to invite from.
OFFERED = 20


@require_safe
def members(request: HttpRequest, pk: int) -> HttpResponse:
    """Parties of the partnership: present, invited, declined and former."""
    user = signed_in(request)
    partnership = held(user, pk)
    former = former_party(user, partnership)
    rights = rights_over(partnership, user, timezone.now())
    parties = with_predecessors(partnership.parties.select_related("organisation"))
    rows = list(parties.order_by("role", "organisation__name", "pk")) if former is None else parties_then(former)
    name_as_at(partnership, rows, left_at=former.left_at if former else None)
    return render(
        request,
        "agreements/members.html",
        {
            "partnership": partnership,
            "present": [party for party in rows if party.is_present],
            "invited": [party for party in rows if party.is_waiting],
            "others": [party for party in rows if not party.is_present and not party.is_waiting],
            "not_bound": set() if former else not_bound(partnership, timezone.localdate()),
            "may_lead": not partnership.is_over and rights.leads,
            "mine": rights.roles.led,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Search for an organisation and invite it."""
    user = signed_in(request)
    partnership = led(user, pk)
    text = request.GET.get("q", "")[:200].strip()
    taken = partnership.parties.filter(status__in=[PartyStatus.INVITED, PartyStatus.ACCEPTED]).values("organisation")
    candidates = find_organisations(user=user, text=text).current().exclude(pk__in=taken)
    posted = request.method == "POST"
    # Validated against the whole directory: the search text may have changed since the choice.
    matches = candidates.order_by("name", "pk")[:OFFERED] if text else Organisation.objects.none()
    offered = (
        Organisation.objects.visible_to(user)
        if posted
        else Organisation.objects.filter(pk__in=[match.pk for match in matches]).order_by("name", "pk")
    )
    form = InviteForm(request.POST if posted else None, found=offered, partnership=partnership)
    if posted and form.is_valid():
        try:
            with collect_recipients() as recipients:
                party = invite_organisation(
                    partnership=partnership, author=user, now=timezone.now(), **form.cleaned_data
                )
        except UnableToInvite as error:
            form.add_error("organisation", str(error))
        else:
            name = party.organisation.name
            if Membership.objects.current().filter(organisation=party.organisation, role=Role.LEAD).exists():
                messages.success(request, f"{name} has been invited.{recipients.sentence()}")
            else:
                asking = f"{reverse('organisations:ask')}?{urlencode({'name': name})}"
                messages.warning(
                    request,
                    format_html(
                        "{} has been invited, but it has no lead here yet, so nobody was emailed. <a "
                        'class="govuk-link" href="{}">Ask an administrator</a> to invite its first lead, who can then '
                        "answer the invitation.",
                        name,
                        asking,
                    ),
                )
            return redirect("agreements:members", pk=pk)
    if posted:
        chosen = [
            number for number in [request.POST.get("organisation", "")] if number.isdecimal() and len(number) < 18
        ]
        form.fields["organisation"].queryset = Organisation.objects.filter(pk__in=chosen)  # type: ignore[attr-defined]  # shown again: only the chosen one
    return render(
        request,
        "agreements/invite.html",
        {"form": form, "partnership": partnership, "q": text, "found": posted or bool(matches)},
        status=422 if posted else 200,
    )


def _party(user: User, pk: int, party: int) -> Party:
    """A party of a partnership that the person may read in full."""
    return get_object_or_404(
        Party.objects.select_related("organisation", "partnership", "invited_by"),
        pk=party,
        partnership=pk,
        partnership__in=Partnership.objects.inside_for(user),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, pk: int, party: int) -> HttpResponse:
    """Answer an invitation for an organisation that the reader leads."""
    user = signed_in(request)
    invited_party = _party(user, pk, party)
    require(rights_over(invited_party.partnership, user, timezone.now()).may_answer(invited_party))
    if not invited_party.is_waiting:
        return redirect("agreements:detail", pk=pk)
    form = AnswerForm(posted(request))

    def step() -> tuple[str, str]:
        accept = form.cleaned_data["answer"] == "accept"
        answer_invitation(
            party=invited_party, accept=accept, reason=form.cleaned_data["reason"], author=user, now=timezone.now()
        )
        words = "takes part in" if accept else "has declined to take part in"
        following = reverse("agreements:detail", args=[pk]) if accept else reverse("agreements:list")
        return f"{invited_party.organisation.name} {words} {invited_party.partnership.title}.", following

    return take_step(
        request,
        "agreements/answer.html",
        form,
        step,
        {UnableToAnswer: "reason"},
        names_emailed=True,
        party=invited_party,
        partnership=invited_party.partnership,
        others=invited_party.partnership.parties.inside()
        .exclude(pk=invited_party.pk)
        .select_related("organisation")
        .order_by("pk"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def party_role(request: HttpRequest, pk: int, party: int) -> HttpResponse:
    """Change a party's role."""
    user = signed_in(request)
    partnership = led(user, pk)
    opened_party = _party(user, pk, party)
    form = RoleForm(posted(request), party=opened_party)

    def step() -> tuple[str, str]:
        change_party_role(
            party=opened_party,
            role=form.cleaned_data["role"],
            reason=form.cleaned_data["reason"],
            author=user,
            now=timezone.now(),
        )
        words = f"{opened_party.organisation.name} is now {opened_party.get_role_display().lower()}."
        return words, reverse("agreements:members", args=[pk])

    return take_step(
        request,
        "agreements/party_role.html",
        form,
        step,
        {UnableToChangeParty: "role"},
        names_emailed=True,
        party=opened_party,
        partnership=partnership,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def party_remove(request: HttpRequest, pk: int, party: int) -> HttpResponse:
    """Remove a party, or withdraw its invitation."""
    user = signed_in(request)
    led(user, pk)
    opened_party = _party(user, pk, party)
    words = "Withdraw invitation" if opened_party.is_waiting else "Remove organisation"
    members = reverse("agreements:members", args=[pk])
    form = ReasonForm(posted(request), submit=words, cancel=members)

    def step() -> tuple[str, str]:
        remove_party(party=opened_party, reason=form.cleaned_data["reason"], author=user, now=timezone.now())
        return f"{opened_party.organisation.name} no longer takes part.", members

    return take_step(
        request,
        "agreements/party_remove.html",
        form,
        step,
        {UnableToLeave: None},
        names_emailed=True,
        party=opened_party,
        partnership=opened_party.partnership,
        consequences=consequences(opened_party, user) if opened_party.is_present else [],
    )


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, pk: int, party: int) -> HttpResponse:
    """Leave, for an organisation that the reader leads."""
    user = signed_in(request)
    seen(user, pk)
    leaving_party = _party(user, pk, party)
    if not leaving_party.is_present:
        raise Http404
    require(rights_over(leaving_party.partnership, user, timezone.now()).may_leave(leaving_party))
    if leaves_after_notice(leaving_party.partnership, leaving_party, timezone.localdate()):
        if leaving_party.partnership.notices.open().filter(organisation=leaving_party.organisation).exists():
            return redirect("agreements:dates", pk=pk)
        return redirect("agreements:notice", pk=pk, party=party)
    members = reverse("agreements:members", args=[pk])
    form = ReasonForm(posted(request), submit="Leave the partnership", cancel=members)

    def step() -> tuple[str, str]:
        leave_partnership(party=leaving_party, reason=form.cleaned_data["reason"], author=user, now=timezone.now())
        words = f"{leaving_party.organisation.name} has left {leaving_party.partnership.title}."
        return words, reverse("agreements:detail", args=[pk])

    return take_step(
        request,
        "agreements/leave.html",
        form,
        step,
        {UnableToLeave: None},
        names_emailed=True,
        party=leaving_party,
        partnership=leaving_party.partnership,
        consequences=consequences(leaving_party, user),
    )
