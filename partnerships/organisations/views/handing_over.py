"""The page of records without an owner, on which leads choose a new owner.

`require` answers 403 if its condition is false.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.kit.rights import UnableToAct, require
from partnerships.organisations.forms import HandOverForm
from partnerships.organisations.handovers import readable_titles
from partnerships.organisations.lineage import ending_predecessors, successions_of, successors_on
from partnerships.organisations.models import Handover, HandoverState, Organisation
from partnerships.organisations.obligations import HeldGroup, held_records_by_kind
from partnerships.organisations.owned import UnableToHandOver, left_without_owner
from partnerships.organisations.presenting import handover_line_in_words, succession_title
from partnerships.organisations.queries import leads_of, people_of, with_account
from partnerships.organisations.rights import Roles, roles_of
from partnerships.organisations.services import hand_over_records
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def without_owner(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the records of an organisation without an owner, by kind. On POST, hand over the ticked records.

    There is one form for each kind of record; the POST data names the kind that was sent.
    """
    user, now = signed_in(request), timezone.now()
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    roles = roles_of(user, now)
    if organisation.is_ended:
        require(request.method != "POST")
        return _show_records_of_ended(request, organisation, roles)
    require(roles.leads(organisation.pk))

    people = with_account(people_of(organisation))
    forms = []
    for group in left_without_owner(organisation.pk, now):
        is_sent = f"{group.kind.code}-kind" in request.POST
        forms.append(HandOverForm(request.POST if is_sent else None, group=group, people=people))
    for form in forms:
        if form.is_valid() and _hand_over(request, form, organisation, user):
            return redirect("organisations:without-owner", pk=pk)
    sent_form = next((form for form in forms if form.is_bound), None)
    return render(
        request,
        "organisations/without_owner.html",
        {"organisation": organisation, "forms": forms, "form": sent_form},
        status=422 if request.method == "POST" else 200,
    )


class _HeldRecord(NamedTuple):
    """A record that an ended organisation still has, on the page."""

    title: str
    #: "" if the person may not read the record.
    path: str
    line_in_words: str


def _show_records_of_ended(request: HttpRequest, organisation: Organisation, roles: Roles) -> HttpResponse:
    """Show the records that an ended organisation still has, with the handover lines of its successions.

    Its leads, the leads of its successors and administrators may see the page.
    """
    user, today = signed_in(request), timezone.localdate()
    successors = successors_on(organisation, today)
    leads_successor = bool(roles.led_among([successor.pk for successor in successors]))
    require(roles.leads(organisation.pk) or leads_successor or roles.may_change_directory)

    successions = [
        succession for succession in successions_of(organisation) if organisation in ending_predecessors(succession)
    ]
    lines = Handover.objects.filter(predecessor=organisation, succession__in=[item.pk for item in successions])
    lines = lines.exclude(state=HandoverState.APPLIED).select_related("successor").order_by("pk")
    line_by_record = {(line.kind, line.record): line for line in lines}
    held_groups = held_records_by_kind(organisation, today)
    # The names of the successors that must deal with records that could not be handed over.
    settling_names = set()
    groups = []
    for group in held_groups:
        groups.append((group.kind.label, _held_records(group, organisation, line_by_record, user, roles)))
        for record in group.records:
            line = line_by_record.get((group.kind.code, record.pk))
            if line is not None and line.state == HandoverState.STAYED:
                settling_names.add(line.successor.name)
    context = {
        "organisation": organisation,
        "successors": successors,
        "groups": groups,
        "successions": [(succession.pk, succession_title(succession)) for succession in successions],
        "is_led": leads_of(organisation).exists(),
        "settling_names": sorted(settling_names),
    }
    return render(request, "organisations/held_by_ended.html", context)


def _held_records(
    group: HeldGroup,
    organisation: Organisation,
    line_by_record: Mapping[tuple[str, int], Handover],
    user: User,
    roles: Roles,
) -> list[_HeldRecord]:
    """Return the records of one kind, with the titles that the person may read and the state of their lines."""
    is_lead = roles.leads(organisation.pk)
    readable_title_by_id = readable_titles(group.kind, organisation, [record.pk for record in group.records], user)
    records = []
    for record in group.records:
        line = line_by_record.get((group.kind.code, record.pk))
        # Only the predecessor may read why a successor disputes a line, not the other successors.
        leads_successor = line is not None and roles.leads(line.successor_id)
        may_read_dispute = is_lead or leads_successor or roles.may_change_directory
        may_read_record = is_lead or record.pk in readable_title_by_id
        records.append(
            _HeldRecord(
                title=record.title if is_lead else readable_title_by_id.get(record.pk, record.generic_title),
                path=record.path if may_read_record else "",
                line_in_words=handover_line_in_words(line, shows_reason=may_read_dispute),
            )
        )
    return records


def _hand_over(request: HttpRequest, form: HandOverForm, organisation: Organisation, user: User) -> bool:
    """Hand over the ticked records, and return True; if this is refused, add the reason to the form."""
    new_owner: User = form.cleaned_data["to"]
    try:
        with collect_recipients() as recipients:
            count = hand_over_records(
                organisation=organisation,
                kind=form.prefix or "",
                records=[int(pk) for pk in form.cleaned_data["records"]],
                to=new_owner,
                reason=form.cleaned_data["reason"],
                author=user,
                now=timezone.now(),
            )
    except UnableToHandOver as error:
        form.add_error(None, str(error))
        return False
    except UnableToAct:
        form.add_error(
            None,
            "You do not have permission to hand over everything you ticked. "
            "Hand the records over one at a time to see which ones you can.",
        )
        return False
    message = f"{count} record{pluralize(count)} handed over to {new_owner.display_name}."
    messages.success(request, f"{message}{recipients.sentence()}")
    return True
