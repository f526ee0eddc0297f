"""Pages on which predecessors say who takes over what, and successors answer."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.organisations.forms.handovers import AnswerHandoversForm, ConsentForm, ProposeHandoversForm
from partnerships.organisations.handovers import (
    after_all,
    estate_of,
    estates_of,
    lines_lacking_consent,
    lines_to_answer,
    readable_titles,
    shares_together,
    sum_of,
    titles_of,
)
from partnerships.organisations.lineage import going_on, with_ties
from partnerships.organisations.models import Organisation, Succession
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
from partnerships.people.form_steps import take_step
from partnerships.people.requests import signed_in

#: How many things one page shows to tick.
SHOWN = 200


@require_safe
def overview(request: HttpRequest, pk: int) -> HttpResponse:
    """What the predecessors hold, who gets it, and what has no line yet."""
    user, now = signed_in(request), timezone.now()
    succession = get_object_or_404(with_ties(Succession.objects.all()), pk=pk)
    roles = roles_of(user, now)
    led = None if roles.keeps_directory else roles.led
    estates = estates_of(succession, timezone.localdate(now), of=led)
    require(bool(estates))
    waiting = succession.handovers.waiting_for(roles.led).count()
    shares = shares_together(estates)
    context = {
        "succession": succession,
        "heading": title_of(succession),
        "after": after_all(shares, timezone.localdate(now), of=led),
        "sum": sum_of(shares),
        "estates": estates,
        "waiting": waiting,
        "lacking": lines_lacking_consent(succession, led).count(),
        "led": roles.led,
        "going_on": going_on(succession),
        "may_keep": roles.keeps_directory,
    }
    return render(request, "organisations/handover.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest, pk: int, predecessor: int, kind: str) -> HttpResponse:
    """Things of one kind that have no line, or a disputed one, and the form that says who takes them over.

    A filter by title goes before; what is ticked, or everything that the filter found, gets the line.
    """
    user, now = signed_in(request), timezone.now()
    succession = get_object_or_404(Succession, pk=pk)
    ending = Organisation.objects.filter(ties_as_predecessor__succession=succession).distinct()
    body = get_object_or_404(ending, pk=predecessor)
    roles = roles_of(user, now)
    require(roles.lead(body.pk) or roles.keeps_directory)
    counts = {thing.kind.code: thing for thing in estate_of(succession, body, timezone.localdate(now)).kinds}
    if kind not in counts:
        raise Http404
    if not roles.lead(body.pk):  # Administrators keep registers; they read nobody's records.
        ids = [thing.pk for thing in counts[kind].undecided]
        counts[kind] = counts[kind].for_others(readable_titles(obligation(kind), body, ids, user))
    text = request.GET.get("q", "")[:200].casefold()
    matches = [thing for thing in counts[kind].undecided if text in thing.title.casefold()]
    ties = succession.ties.filter(predecessor=body).exclude(successor=None).exclude(successor=body)
    following = Organisation.objects.filter(pk__in=ties.values("successor"))
    form = ProposeHandoversForm(
        posted(request), things=matches[:SHOWN], successors=following.order_by("name", "pk"), count=len(matches)
    )
    back = reverse("organisations:handover", args=[pk])

    def step() -> tuple[str, str]:
        data = form.cleaned_data
        chosen = [item.pk for item in matches] if data.pop("everything") else [int(item) for item in data["records"]]
        del data["records"]
        count = propose_handovers(
            succession=succession, predecessor=body, kind=kind, records=chosen, author=user, now=now, **data
        )
        return f"{count} proposed to {data['successor'].name}.", back

    return take_step(
        request,
        "organisations/handover_propose.html",
        form,
        step,
        {UnableToHandOverLines: None},
        succession=succession,
        predecessor=body,
        count=counts[kind],
        shown=len(matches[:SHOWN]),
        found=len(matches),
        query=request.GET.get("q", ""),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Lines that wait for the organisations that the reader leads."""
    user, now = signed_in(request), timezone.now()
    succession = get_object_or_404(Succession, pk=pk)
    roles = roles_of(user, now)
    following = succession.ties.values_list("successor", flat=True)
    require(bool(roles.led & set(following)))
    lines = lines_to_answer(succession, roles.led)
    shown = lines[:SHOWN]
    form = AnswerHandoversForm(posted(request), lines=shown, titles=titles_of(shown, user), count=len(lines))

    def step() -> tuple[str, str]:
        data = form.cleaned_data
        chosen = {line.pk for line in lines} if data.get("everything") else {int(item) for item in data["lines"]}
        accept = data["answer"] == "accept"
        count = answer_handovers(
            lines=[line for line in lines if line.pk in chosen],
            accept=accept,
            reason=data["reason"],
            author=user,
            now=now,
        )
        return f"{count} {'accepted' if accept else 'disputed'}.", reverse("organisations:handover", args=[pk])

    return take_step(
        request, "organisations/handover_answer.html", form, step, {UnableToHandOverLines: None}, succession=succession
    )


@require_http_methods(["GET", "HEAD", "POST"])
def consent(request: HttpRequest, pk: int) -> HttpResponse:
    """Lines that wait for a consent, for leads of either side and administrators."""
    user, now = signed_in(request), timezone.now()
    succession = get_object_or_404(Succession, pk=pk)
    roles = roles_of(user, now)
    sides = {body for pair in succession.ties.values_list("predecessor", "successor") for body in pair}
    require(roles.keeps_directory or bool(roles.led & sides))
    lines = list(lines_lacking_consent(succession, None if roles.keeps_directory else roles.led))
    shown = lines[:SHOWN]
    form = ConsentForm(posted(request), lines=shown, titles=titles_of(shown, user), count=len(lines))

    def step() -> tuple[str, str]:
        """Record consent to the chosen lines, or their refusal."""
        data = form.cleaned_data
        chosen = {line.pk for line in lines} if data.get("everything") else {int(item) for item in data["lines"]}
        about = [line for line in lines if line.pk in chosen]
        back = reverse("organisations:handover", args=[pk])
        if data["answer"] == "refused":
            count = record_refusal(lines=about, reason=data["reason"], author=user, now=now)
            return f"Refusal of {count} recorded: who takes over must be proposed again.", back
        count = record_consent(
            lines=about,
            given_by=data["given_by"],
            given_on=data["given_on"],
            evidence=data["evidence"],
            author=user,
            now=now,
        )
        return f"Consent to {count} recorded.", back

    return take_step(
        request, "organisations/handover_consent.html", form, step, {UnableToHandOverLines: None}, succession=succession
    )
