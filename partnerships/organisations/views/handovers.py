"""Pages on which predecessors propose who takes over their records, and successors answer.

`require` answers 403 if its condition is false.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.kit.forms import Form
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.forms.handovers import AnswerHandoversForm, ConsentForm, ProposeHandoversForm
from partnerships.organisations.handover_lines import line_titles, lines_lacking_consent, lines_to_answer
from partnerships.organisations.handovers import (
    KindCount,
    combined_shares,
    count_of_kind,
    estates_of,
    holdings_after,
    readable_titles,
    sum_of_shares,
)
from partnerships.organisations.lineage import continuing_predecessor_ids, with_ties
from partnerships.organisations.models import Handover, Organisation, Succession
from partnerships.organisations.obligations import obligation
from partnerships.organisations.presenting import succession_title
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services import (
    UnableToHandOverLines,
    answer_handovers,
    propose_handovers,
    record_consent,
    record_refusal,
)
from partnerships.people.models import User
from partnerships.people.requests import signed_in

#: The largest number of handover lines on one page.
MAX_LINES_ON_PAGE = 200


@require_safe
def handover_overview(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what each predecessor has, who takes it over, and which records have no handover line yet.

    Only administrators and the leads of the succession's organisations may see the page.
    """
    user, today = signed_in(request), timezone.localdate()
    succession = get_object_or_404(with_ties(Succession.objects.all()), pk=pk)
    roles = roles_of(user, timezone.now())
    # Administrators see all organisations; other people see only the organisations that they lead.
    visible_ids = None if roles.may_change_directory else roles.led_ids
    estates = estates_of(succession, today, involved_ids=visible_ids)
    require(bool(estates))

    shares = combined_shares(estates)
    context = {
        "succession": succession,
        "heading": succession_title(succession),
        "holdings_after": holdings_after(shares, today, known_ids=visible_ids),
        "total": sum_of_shares(shares),
        "estates": estates,
        "lines_to_answer": succession.handovers.awaiting_answer_from(roles.led_ids).count() if roles.led_ids else 0,
        "lines_lacking_consent": lines_lacking_consent(succession, visible_ids).count(),
        "led_ids": roles.led_ids,
        "continuing_ids": continuing_predecessor_ids(succession),
        "may_change_directory": roles.may_change_directory,
    }
    return render(request, "organisations/handover.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def propose_lines(request: HttpRequest, pk: int, predecessor: int, kind: str) -> HttpResponse:
    """Propose who takes over records of one kind that have no line or a disputed line.

    The page can be filtered by title. The proposal covers the ticked records, or all records that match the filter.
    """
    user, now = signed_in(request), timezone.now()
    succession = get_object_or_404(Succession, pk=pk)
    predecessors = Organisation.objects.filter(ties_as_predecessor__succession=succession).distinct()
    organisation = get_object_or_404(predecessors, pk=predecessor)
    roles = roles_of(user, now)
    require(roles.leads(organisation.pk) or roles.may_change_directory)
    kind_count = _count_of_kind(succession, organisation, kind, timezone.localdate(now))
    if not roles.leads(organisation.pk):
        # Administrators who do not lead the organisation see only the titles that they may read.
        ids = [record.pk for record in kind_count.undecided]
        kind_count = kind_count.for_others(readable_titles(obligation(kind), organisation, ids, user))

    text = request.GET.get("q", "")[:200].casefold()
    matching_records = [record for record in kind_count.undecided if text in record.title.casefold()]
    shown_records = matching_records[:MAX_LINES_ON_PAGE]
    form = ProposeHandoversForm(
        post_data(request),
        held_records=shown_records,
        successors=_successors_of(succession, organisation),
        count=len(matching_records),
    )
    if request.method == "POST" and form.is_valid():
        # After these two fields are removed, `cleaned_data` contains only the details of the lines.
        ticked_ids = [int(record_id) for record_id in form.cleaned_data.pop("records")]
        proposes_all = form.cleaned_data.pop("everything")
        with show_refusal(form, UnableToHandOverLines):
            count = propose_handovers(
                succession=succession,
                predecessor=organisation,
                kind=kind,
                records=[record.pk for record in matching_records] if proposes_all else ticked_ids,
                author=user,
                now=now,
                **form.cleaned_data,
            )
            successor = form.cleaned_data["successor"]
            messages.success(request, f"{count} record{pluralize(count)} proposed to {successor.name}.")
            return redirect("organisations:handover", pk)

    return form_page(
        request,
        "organisations/handover_propose.html",
        form,
        succession=succession,
        predecessor=organisation,
        count=kind_count,
        shown_count=len(shown_records),
        matching_count=len(matching_records),
        query=request.GET.get("q", ""),
    )


def _count_of_kind(succession: Succession, predecessor: Organisation, kind: str, day: dt.date) -> KindCount:
    """Return the predecessor's records of one kind, by the state of their lines. Raises 404 if there are none."""
    kind_count = count_of_kind(succession, predecessor, kind, day)
    if kind_count is None:
        raise Http404
    return kind_count


def _successors_of(succession: Succession, predecessor: Organisation) -> QuerySet[Organisation]:
    """Return the organisations that can take over records of the predecessor, by name."""
    ties = succession.ties.filter(predecessor=predecessor).exclude(successor=None).exclude(successor=predecessor)
    return Organisation.objects.filter(pk__in=ties.values("successor")).order_by("name", "pk")


@require_http_methods(["GET", "HEAD", "POST"])
def answer_lines(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept or dispute the lines that were proposed to the organisations that the reader leads."""
    user, now = signed_in(request), timezone.now()
    succession = get_object_or_404(Succession, pk=pk)
    roles = roles_of(user, now)
    successor_ids = set(succession.ties.values_list("successor", flat=True))
    require(bool(roles.led_ids & successor_ids))

    lines = lines_to_answer(succession, roles.led_ids)
    shown_lines = lines[:MAX_LINES_ON_PAGE]
    form = AnswerHandoversForm(
        post_data(request), lines=shown_lines, titles=line_titles(shown_lines, user), count=len(lines)
    )
    if request.method == "POST" and form.is_valid():
        is_accepted = form.cleaned_data["answer"] == "accept"
        with show_refusal(form, UnableToHandOverLines):
            count = answer_handovers(
                lines=_chosen_lines(lines, form),
                accept=is_accepted,
                reason=form.cleaned_data["reason"],
                author=user,
                now=now,
            )
            verb = "accepted" if is_accepted else "disputed"
            messages.success(request, f"You {verb} {count} line{pluralize(count)}.")
            return redirect("organisations:handover", pk)

    return form_page(request, "organisations/handover_answer.html", form, succession=succession)


def _chosen_lines(lines: Sequence[Handover], form: Form) -> list[Handover]:
    """Return the ticked lines, or all lines if the box for everything is ticked."""
    if form.cleaned_data.get("everything"):
        return list(lines)
    ticked_ids = {int(line_id) for line_id in form.cleaned_data["lines"]}
    return [line for line in lines if line.pk in ticked_ids]


@require_http_methods(["GET", "HEAD", "POST"])
def record_line_consent(request: HttpRequest, pk: int) -> HttpResponse:
    """Record that a person gave or refused the consent that lines need.

    Administrators see all lines that lack consent; leads see the lines of their organisations.
    """
    user, now = signed_in(request), timezone.now()
    succession = get_object_or_404(Succession, pk=pk)
    roles = roles_of(user, now)
    organisation_ids: set[int | None] = set()
    for predecessor_id, successor_id in succession.ties.values_list("predecessor", "successor"):
        organisation_ids |= {predecessor_id, successor_id}
    require(roles.may_change_directory or bool(roles.led_ids & organisation_ids))

    lines = list(lines_lacking_consent(succession, None if roles.may_change_directory else roles.led_ids))
    shown_lines = lines[:MAX_LINES_ON_PAGE]
    form = ConsentForm(post_data(request), lines=shown_lines, titles=line_titles(shown_lines, user), count=len(lines))
    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToHandOverLines):
            message = _save_consent(form, _chosen_lines(lines, form), user)
            messages.success(request, message)
            return redirect("organisations:handover", pk)

    return form_page(request, "organisations/handover_consent.html", form, succession=succession)


def _save_consent(form: ConsentForm, lines: list[Handover], user: User) -> str:
    """Record the given or refused consent in a valid form, and return the message. Raises `UnableToHandOverLines`."""
    if form.cleaned_data["answer"] == "refused":
        count = record_refusal(lines=lines, reason=form.cleaned_data["reason"], author=user, now=timezone.now())
        return f"Consent to {count} line{pluralize(count)} is recorded as refused. Propose again."

    count = record_consent(
        lines=lines,
        given_by=form.cleaned_data["given_by"],
        given_on=form.cleaned_data["given_on"],
        evidence=form.cleaned_data["evidence"],
        author=user,
        now=timezone.now(),
    )
    return f"Consent to {count} line{pluralize(count)} is recorded."
