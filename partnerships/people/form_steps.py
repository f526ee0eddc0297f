"""The frame of views with a form or button: call one service, then redirect with a message or show its refusal.

The message can name who gets an email, so this module is here and not in kit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect

from partnerships.kit.http import form_page
from partnerships.people.recipients import collect_recipients

#: What a view does once its form is valid: calls one service, and returns a message about what happened ("" for none)
#: and the URL of the next page.
Step: TypeAlias = Callable[[], tuple[str, str]]
#: The exceptions by which the service may refuse, each with the field that shows it; None shows it above the form.
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

    If the service refuses, the form shows why. With `say_who_gets_emails` the message also says who gets an email.
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
    """Take the step of a button, and redirect; if the service refuses, redirect to `back` with the reason."""
    try:
        message, next_page = step()
    except refusals as error:
        messages.error(request, str(error))
        return redirect(back)
    if message:
        messages.success(request, message)
    return redirect(next_page)


def _field(refusals: Refusals, error: Exception) -> str | None:
    """Return the field for an exception: that of its closest class in `refusals`."""
    return next(refusals[kind] for kind in type(error).__mro__ if kind in refusals)
