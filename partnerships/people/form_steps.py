"""What pages with a form or a button share: one service call, then the result.

It says who gets an email, which is why it is in this room and not in kit.
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

#: Calls one service; the message that says what happened (blank: none), and the next page.
Step: TypeAlias = Callable[[], tuple[str, str]]
#: What the service may refuse with, and the field that shows it; None: above the form.
Refusals: TypeAlias = Mapping[type[Exception], str | None]


def take_step(
    request: HttpRequest,
    template: str,
    form: BaseForm,
    step: Step,
    refusals: Refusals,
    *,
    names_emailed: bool = False,
    **context: Any,
) -> HttpResponse:
    """The page of a form that does one step, or the redirect after it.

    If the service refuses, the form shows why. With `names_emailed` the message ends with who gets an email.
    """
    if form.is_valid():
        try:
            with collect_recipients() as recipients:
                message, following = step()
        except tuple(refusals) as error:
            form.add_error(_field(refusals, error), str(error))
        else:
            messages.success(request, f"{message}{recipients.sentence()}" if names_emailed else message)
            return redirect(following)
    return form_page(request, template, form, **context)


def press_button(
    request: HttpRequest, step: Step, refusals: type[Exception] | tuple[type[Exception], ...], *, back: str
) -> HttpResponseRedirect:
    """The redirect after a button that does one step.

    If the service refuses, the page at `back` shows why.
    """
    try:
        message, following = step()
    except refusals as error:
        messages.error(request, str(error))
        return redirect(back)
    if message:
        messages.success(request, message)
    return redirect(following)


def _field(refusals: Refusals, error: Exception) -> str | None:
    """The field of the closest class in `refusals`."""
    return next(refusals[kind] for kind in type(error).__mro__ if kind in refusals)
