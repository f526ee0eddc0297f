"""Pages of handover lines: predecessors propose who takes over which records, and successors answer.

A view with a form passes an inner function to `take_step`, which calls it if the posted form is valid, shows its
message and redirects. If the service refuses, the form shows why. `posted` returns the data for a form: None on GET.
`require` answers 403 if its condition is false.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.kit.forms import Form
from partnerships.kit.http import form_page, posted
from partnerships.kit.rights import require
from partnerships.organisations.forms.handovers import AnswerHandoversForm, ConsentForm, ProposeHandoversForm
from partnerships.organisations.handovers import (
    estate_of,
    estates_of,
    holdings_after,
    lines_lacking_consent,
    lines_to_answer,
    readable_titles,
    shares_together,
    sum_of,
    titles_of,
)
from partnerships.organisations.lineage import going_on, with_ties
from partnerships.organisations.models import Handover, Organisation, Succession
from partnerships.organisations.obligations import obligation
from partnerships.organisations.presenting import title_of
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services import (
    UnableToHandOverLines,
    answer_handovers,
    propose_handovers,
    record_consent,
    record_refusal,
)
from partnerships.people.form_steps import ABOVE_FORM, take_step
from partnerships.people.requests import signed_in

#: The largest number of handover lines on one page.
MAX_LINES_ON_PAGE = 200


@require_safe
def handover_overview(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the predecessors' records, who takes them over, and which records have no line yet."""
    user = signed_in(request)
    now = timezone.now()
    succession = get_object_or_404(with_ties(Succession.objects.all()), pk=pk)
    roles = roles_of(user, now)
    # Administrators see all organisations; other people see only the organisations that they lead.
    visible_ids = None if roles.keeps_directory else roles.led
    estates = estates_of(succession, timezone.localdate(now), involved_ids=visible_ids)
    require(bool(estates))
    unanswered_count = succession.handovers.waiting_for(roles.led).count()
    shares = shares_together(estates)
    context = {
        "succession": succession,
        "heading": title_of(succession),
        "after": holdings_after(shares, timezone.localdate(now), known_ids=visible_ids),
        "sum": sum_of(shares),
        "estates": estates,
        "waiting": unanswered_count,
        "lacking": lines_lacking_consent(succession, visible_ids).count(),
        "led": roles.led,
        "going_on": going_on(succession),
        "may_keep": roles.keeps_directory,
    }
    return render(request, "organisations/handover.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def propose_lines(request: HttpRequest, pk: int, predecessor: int, kind: str) -> HttpResponse:
    """Propose who takes over records of one kind that have no line or a disputed line.

    The page can be filtered by title. The proposal covers the ticked records, or all records that match the filter.
    """
    user = signed_in(request)
    now = timezone.now()
    succession = get_object_or_404(Succession, pk=pk)
    predecessors = Organisation.objects.filter(ties_as_predecessor__succession=succession).distinct()
    organisation = get_object_or_404(predecessors, pk=predecessor)
    roles = roles_of(user, now)
    require(roles.lead(organisation.pk) or roles.keeps_directory)
    estate = estate_of(succession, organisation, timezone.localdate(now))
    kind_count = next((item for item in estate.kinds if item.kind.code == kind), None)
    if kind_count is None:
        raise Http404
    if not roles.lead(organisation.pk):
        # Administrators who do not lead the organisation see only the titles that they may read.
        ids = [thing.pk for thing in kind_count.undecided]
        kind_count = kind_count.for_others(readable_titles(obligation(kind), organisation, ids, user))

    text = request.GET.get("q", "")[:200].casefold()
    matching_records = [thing for thing in kind_count.undecided if text in thing.title.casefold()]
    ties = succession.ties.filter(predecessor=organisation).exclude(successor=None).exclude(successor=organisation)
    successors = Organisation.objects.filter(pk__in=ties.values("successor")).order_by("name", "pk")
    shown_records = matching_records[:MAX_LINES_ON_PAGE]
    form = ProposeHandoversForm(
        posted(request), things=shown_records, successors=successors, count=len(matching_records)
    )
    overview_url = reverse("organisations:handover", args=[pk])

    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        ticked_ids = [int(record_id) for record_id in data.pop("records")]
        record_ids = [thing.pk for thing in matching_records] if data.pop("everything") else ticked_ids
        try:
            count = propose_handovers(
                succession=succession,
                predecessor=organisation,
                kind=kind,
                records=record_ids,
                author=user,
                now=now,
                **data,
            )
        except UnableToHandOverLines as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{count} record{pluralize(count)} proposed to {data['successor'].name}.")
            return redirect(overview_url)

    return form_page(
        request,
        "organisations/handover_propose.html",
        form,
        succession=succession,
        predecessor=organisation,
        count=kind_count,
        shown=len(shown_records),
        found=len(matching_records),
        query=request.GET.get("q", ""),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def answer_lines(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept or dispute the lines that were proposed to the organisations that the reader leads."""
    user = signed_in(request)
    now = timezone.now()
    succession = get_object_or_404(Succession, pk=pk)
    roles = roles_of(user, now)
    successor_ids = set(succession.ties.values_list("successor", flat=True))
    require(bool(roles.led & successor_ids))
    lines = lines_to_answer(succession, roles.led)
    shown_lines = lines[:MAX_LINES_ON_PAGE]
    form = AnswerHandoversForm(
        posted(request), lines=shown_lines, titles=titles_of(shown_lines, user), count=len(lines)
    )

    if request.method == "POST" and form.is_valid():
        accept = form.cleaned_data["answer"] == "accept"
        try:
            count = answer_handovers(
                lines=_chosen_lines(lines, form),
                accept=accept,
                reason=form.cleaned_data["reason"],
                author=user,
                now=now,
            )
        except UnableToHandOverLines as error:
            form.add_error(None, str(error))
        else:
            verb = "accepted" if accept else "disputed"
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
    user = signed_in(request)
    now = timezone.now()
    succession = get_object_or_404(Succession, pk=pk)
    roles = roles_of(user, now)
    side_ids = {pk for pair in succession.ties.values_list("predecessor", "successor") for pk in pair}
    require(roles.keeps_directory or bool(roles.led & side_ids))
    lines = list(lines_lacking_consent(succession, None if roles.keeps_directory else roles.led))
    shown_lines = lines[:MAX_LINES_ON_PAGE]
    form = ConsentForm(posted(request), lines=shown_lines, titles=titles_of(shown_lines, user), count=len(lines))

    def save_consent() -> tuple[str, str]:
        data = form.cleaned_data
        chosen_lines = _chosen_lines(lines, form)
        overview_url = reverse("organisations:handover", args=[pk])
        if data["answer"] == "refused":
            count = record_refusal(lines=chosen_lines, reason=data["reason"], author=user, now=now)
            return f"Consent to {count} line{pluralize(count)} is recorded as refused. Propose again.", overview_url
        count = record_consent(
            lines=chosen_lines,
            given_by=data["given_by"],
            given_on=data["given_on"],
            evidence=data["evidence"],
            author=user,
            now=now,
        )
        return f"Consent to {count} line{pluralize(count)} is recorded.", overview_url

    return take_step(
        request,
        "organisations/handover_consent.html",
        form,
        save_consent,
        {UnableToHandOverLines: ABOVE_FORM},
        succession=succession,
    )
