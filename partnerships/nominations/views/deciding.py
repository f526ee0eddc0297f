"""Pages on which the council decides about lines of a return, and asks for shortfalls to be made up."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.nominations import services
from partnerships.nominations.forms import DecideForm
from partnerships.nominations.models import Decision
from partnerships.nominations.queries import result_of
from partnerships.nominations.services.shortfalls import UnableToAskForShortfall, ask_for_shortfall
from partnerships.nominations.views.returns import open_return, return_context
from partnerships.people.recipients import collect_recipients


@require_http_methods(["GET", "HEAD", "POST"])
def decide_lines(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Confirm or dispute each line of a return."""
    user, nominations_return, rights = open_return(request, pk, number)
    require(rights.may_decide)
    form = DecideForm(
        post_data(request), lines=result_of(nominations_return).lines, sending=nominations_return.sendings
    )

    if request.method == "POST" and form.is_valid():
        decisions = {
            line.pk: (Decision(form.cleaned_data[decision.name]), form.cleaned_data[reason.name])
            for line, decision, reason in form.lines
        }
        with show_refusal(form, services.UnableToDecide):
            with collect_recipients() as recipients:
                services.decide_lines(
                    nominations_return=nominations_return,
                    sending=form.cleaned_data["sending"],
                    decisions=decisions,
                    author=user,
                    now=timezone.now(),
                )
            messages.success(request, f"Your answers have been sent.{recipients.sentence()}")
            return redirect(nominations_return)

    return form_page(request, "nominations/decide.html", form, **return_context(nominations_return, rights))


@require_POST
def ask_to_make_up(request: HttpRequest, pk: int, number: int, line: int) -> HttpResponse:
    """Ask the provider to make up the missing nominations of a line, and go to the page of this ask.

    `line` is the id of the line. If the council has already asked, go to the existing ask.
    """
    user, nominations_return, rights = open_return(request, pk, number)
    require(rights.may_ask)

    now = timezone.now()
    try:
        entry = ask_for_shortfall(nominations_return=nominations_return, line=line, author=user, now=now)
    except UnableToAskForShortfall as error:
        messages.error(request, str(error))
        return redirect(nominations_return)

    provider = nominations_return.agreement.provider_body.name
    if entry.created_at == now:
        messages.success(request, f"You have asked {provider} to make up the missing nominations.")
    else:
        messages.info(request, f"Your organisation has already asked {provider} to make up the missing nominations.")
    return redirect(entry)
