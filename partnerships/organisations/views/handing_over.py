"""The page of what an organisation's leavers left without an owner."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.kit.rights import UnableToAct, require
from partnerships.organisations.forms import HandOverForm
from partnerships.organisations.handovers import readable_titles
from partnerships.organisations.lineage import ending, successions_of, successors_on
from partnerships.organisations.models import Handover, HandoverState, Organisation
from partnerships.organisations.obligations import held_by
from partnerships.organisations.owned import UnableToHandOver, left_without_owner
from partnerships.organisations.presenting import line_in_words, title_of
from partnerships.organisations.queries import leads_of, people_of, with_account
from partnerships.organisations.rights import Roles, roles_of
from partnerships.organisations.services import hand_over_things
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def without_owner(request: HttpRequest, pk: int) -> HttpResponse:
    """What has no owner, by kind; the organisation's leads hand it over."""
    user = signed_in(request)
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    now = timezone.now()
    roles = roles_of(user, now)
    if organisation.is_ended:
        require(request.method != "POST")
        return _of_ended(request, organisation, roles)
    require(roles.lead(organisation.pk))
    people = with_account(people_of(organisation))
    forms = [
        HandOverForm(request.POST if f"{group.kind.code}-kind" in request.POST else None, group=group, people=people)
        for group in left_without_owner(organisation, timezone.localdate(now))
    ]
    for form in forms:
        if form.is_valid() and _handed_over(request, form, organisation, user):
            return redirect("organisations:without-owner", pk=pk)
    return render(
        request,
        "organisations/without_owner.html",
        {"organisation": organisation, "forms": forms, "form": next((form for form in forms if form.is_bound), None)},
        status=422 if request.method == "POST" else 200,
    )


def _handed_over(request: HttpRequest, form: HandOverForm, organisation: Organisation, user: User) -> bool:
    """Hand over what was ticked.

    False with the reason in the form if that is refused.
    """
    to: User = form.cleaned_data["to"]
    try:
        with collect_recipients() as recipients:
            count = hand_over_things(
                organisation=organisation,
                kind=form.prefix or "",
                things=[int(pk) for pk in form.cleaned_data["things"]],
                to=to,
                reason=form.cleaned_data["reason"],
                author=user,
                now=timezone.now(),
            )
    except UnableToHandOver as error:
        form.add_error(None, str(error))
        return False
    except UnableToAct:
        form.add_error(None, "You do not have permission to hand over some of these.")
        return False
    messages.success(request, f"{count} handed over to {to.display_name}.{recipients.sentence()}")
    return True


def _of_ended(request: HttpRequest, organisation: Organisation, roles: Roles) -> HttpResponse:
    """What an ended organisation still holds, with the handovers of the successions that ended it.

    Its leads, those of its successors and administrators read the list.
    """
    today = timezone.localdate()
    successors = successors_on(organisation, today)
    own = roles.lead(organisation.pk)
    require(own or bool(roles.led_among([record.pk for record in successors])) or roles.keeps_directory)
    successions = [record for record in successions_of(organisation) if organisation in ending(record)]
    open_lines = Handover.objects.filter(predecessor=organisation, succession__in=[record.pk for record in successions])
    open_lines = open_lines.exclude(state=HandoverState.APPLIED).select_related("successor").order_by("pk")
    lines = {(line.kind, line.record): line for line in open_lines}

    def in_words(line: Handover | None) -> str:
        # Why one successor disputes is for the predecessor, not for the other successors.
        concerned = own or roles.keeps_directory or (line is not None and roles.lead(line.successor_id))
        return line_in_words(line, says_why=concerned)

    user = signed_in(request)
    groups = []
    settling: set[str] = set()
    for group in held_by(organisation, today):
        of_group = {record.pk: lines.get((group.kind.code, record.pk)) for record in group.things}
        settling |= {
            record.successor.name for record in of_group.values() if record and record.state == HandoverState.STAYED
        }
        titles = readable_titles(group.kind, organisation, [record.pk for record in group.things], user)
        things = [
            (
                record.title if own else titles.get(record.pk, record.outside),
                record.path if own or record.pk in titles else "",
                in_words(of_group[record.pk]),
            )
            for record in group.things
        ]
        groups.append((group.kind.label, things))
    return render(
        request,
        "organisations/held_by_ended.html",
        {
            "organisation": organisation,
            "successors": successors,
            "groups": groups,
            "successions": [(record.pk, title_of(record)) for record in successions],
            "is_led": leads_of(organisation).exists(),
            "settling": sorted(settling),
        },
    )
