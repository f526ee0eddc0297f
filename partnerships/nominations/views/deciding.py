"""The council's pages of a nominations return: decide about its lines, and ask for shortfalls to be made up.

A view with a form passes an inner function to `take_step`, which calls it once the posted form is valid, shows its
message and redirects. If the service refuses, the form is shown again with the reason. With `say_who_gets_emails`, the
message also names who gets an email. On GET, `posted(request)` is None, so that the form is empty. A view of a button
without a form uses `press_button` in the same way; the next page then shows the refusal as a message.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.nominations import services
from partnerships.nominations.forms import DecideForm
from partnerships.nominations.models import Decision
from partnerships.nominations.queries import result_of
from partnerships.nominations.services.shortfalls import UnableToAsk, ask_for_shortfall
from partnerships.nominations.views.returns import open_return, return_context
from partnerships.people.form_steps import ABOVE_FORM, press_button, take_step


@require_http_methods(["GET", "HEAD", "POST"])
def decide_lines(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Confirm or dispute each line of a return."""
    user, nominations_return, rights = open_return(request, pk, number)
    require(rights.may_decide)
    form = DecideForm(posted(request), lines=result_of(nominations_return).lines, sending=nominations_return.sendings)

    def save_decisions() -> tuple[str, str]:
        """Save the council's decisions. Return the message and the next page."""
        decisions = {
            line.pk: (Decision(form.cleaned_data[decision.name]), form.cleaned_data[reason.name])
            for line, decision, reason in form.lines
        }
        services.decide_lines(
            nominations_return=nominations_return,
            sending=form.cleaned_data["sending"],
            decisions=decisions,
            author=user,
            now=timezone.now(),
        )
        return "Your answers have been sent.", nominations_return.get_absolute_url()

    context = return_context(nominations_return, rights) | {"say_who_gets_emails": True}
    return take_step(
        request, "nominations/decide.html", form, save_decisions, {services.UnableToDecide: ABOVE_FORM}, **context
    )


@require_POST
def ask_to_make_up(request: HttpRequest, pk: int, number: int, line: int) -> HttpResponse:
    """Make an ask of the provider, to make up the missing nominations of a line."""
    user, nominations_return, rights = open_return(request, pk, number)
    require(rights.may_ask)

    def create_ask() -> tuple[str, str]:
        """Create the ask. Return the message and the next page."""
        entry = ask_for_shortfall(nominations_return=nominations_return, line=line, author=user, now=timezone.now())
        provider = nominations_return.agreement.provider_body.name
        return f"You have asked {provider} to make up the missing nominations.", entry.get_absolute_url()

    return press_button(request, create_ask, UnableToAsk, back=nominations_return.get_absolute_url())
