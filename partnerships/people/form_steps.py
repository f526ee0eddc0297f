"""The frame of views with a form or button: call one service, then redirect with a message or show its refusal.

A view defines an inner function that calls the service, and passes this function to `take_step`:

    form = EndForm(posted(request), cancel=commitment.get_absolute_url())

    def end_commitment() -> tuple[str, str]:
        services.end_commitment(commitment=commitment, **form.cleaned_data, author=user, now=timezone.now())
        return "The commitment has ended.", commitment.get_absolute_url()

    return take_step(
        request, "commitments/end.html", form, end_commitment, {services.UnableToEnd: "reason"}, commitment=commitment
    )

On GET, `take_step` shows the page with the empty form. On POST with a valid form, it calls `end_commitment`, shows the
message on the next page and redirects there. With an invalid form, or if the service raises `UnableToEnd`, it shows the
page again, with status 422 and the error: here at the field `reason`; above the form if the dict had `ABOVE_FORM`
instead of a field.

The message can name who gets an email, so this module is here and not in kit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect

from partnerships.kit.http import form_page
from partnerships.people.recipients import collect_recipients

#: The inner function of a view. It calls one service, and returns a message that says what happened ("" for none) and
#: the URL of the next page.
Step: TypeAlias = Callable[[], tuple[str, str]]
#: Shows the reason of a refusal above the form, because no single field is wrong.
ABOVE_FORM: Final = None
#: The exceptions with which the service may refuse, each with the form field that shows the reason, or `ABOVE_FORM`.
Refusals: TypeAlias = Mapping[type[Exception], str | None]


def take_step(
    request: HttpRequest,
    template: str,
    form: BaseForm,
    step: Step,
    refusals: Refusals,
    *,
    say_who_gets_emails: bool = False,
    **context: Any,
) -> HttpResponse:
    """If the form is valid, call `step` and redirect; otherwise return the page with the form and its errors.

    If the service refuses, the form shows why. `say_who_gets_emails` adds to the message who gets an email. `context`
    is passed to the template.
    """
    if form.is_valid():
        try:
            with collect_recipients() as recipients:
                message, next_page = step()
        except tuple(refusals) as error:
            form.add_error(_field(refusals, error), str(error))
        else:
            messages.success(request, f"{message}{recipients.sentence()}" if say_who_gets_emails else message)
            return redirect(next_page)
    return form_page(request, template, form, **context)


def press_button(
    request: HttpRequest, step: Step, refusals: type[Exception] | tuple[type[Exception], ...], *, back: str
) -> HttpResponseRedirect:
    """Call `step` for a button without a form, and redirect. If the service refuses, redirect to `back`.

    That page shows the reason of a refusal as a message, because there is no form to show it.
    """
    try:
        message, next_page = step()
    except refusals as error:
        messages.error(request, str(error))
        return redirect(back)
    if message:
        messages.success(request, message)
    return redirect(next_page)


def _field(refusals: Refusals, error: Exception) -> str | None:
    """Return the form field that shows this exception, or None to show it above the form.

    If `refusals` names several base classes of the exception, the most specific one counts.
    """
    return next(refusals[kind] for kind in type(error).__mro__ if kind in refusals)
