"""The provider's pages of a nominations return: start it, upload lettings, complete it, send it, reopen it.

A view with a form passes an inner function to `take_step`, which calls it once the posted form is valid, shows its
message and redirects. If the service refuses, the form is shown again with the reason. With `say_who_gets_emails`, the
message also names who gets an email. On GET, `posted(request)` is None, so that the form is empty.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from partnerships.kit.http import form_page, posted, posted_with_files
from partnerships.kit.nudging import nudge_after_commit
from partnerships.kit.rights import require
from partnerships.nominations import services
from partnerships.nominations.forms import ReopenForm, SendForm, StartForm, TableForm, UploadForm
from partnerships.nominations.lettings.uploading import FilteredLettings, filter_uploads
from partnerships.nominations.models import NominationsReturn
from partnerships.nominations.queries import disputed_lines_of, result_of
from partnerships.nominations.queries.pages import grounds_of, quarters_to_start
from partnerships.nominations.rights import Rights
from partnerships.nominations.tasks import count_waiting
from partnerships.nominations.views.returns import open_agreement, open_return, return_context
from partnerships.people.form_steps import ABOVE_FORM, take_step
from partnerships.people.models import User

_FORM = require_http_methods(["GET", "HEAD", "POST"])
_STEP = "nominations/step.html"


@_FORM
def new_return(request: HttpRequest, pk: int) -> HttpResponse:
    """Start the return of a quarter that is over."""
    user, agreement, rights = open_agreement(request, pk)
    require(rights.may_report)
    quarters = [
        (quarter.starts_on.isoformat(), str(quarter)) for quarter in quarters_to_start(agreement, timezone.localdate())
    ]
    form = StartForm(posted(request), quarters=quarters, cancel=agreement.get_absolute_url())

    def start_return() -> tuple[str, str]:
        """Start the return of the chosen quarter. Return the message and the next page."""
        day = dt.date.fromisoformat(form.cleaned_data["quarter"])
        nominations_return = services.start_return(agreement=agreement, starts_on=day, author=user, now=timezone.now())
        return f"The return for {nominations_return.quarter} has been started.", nominations_return.get_absolute_url()

    context: dict[str, Any] = {
        "heading": "Start a return",
        "partnership": agreement.partnership,
        "back": agreement.get_absolute_url(),
        "is_empty": not quarters,
    }
    return take_step(request, _STEP, form, start_return, {services.UnableToReport: "quarter"}, **context)


@csrf_exempt
@_FORM
def upload_lettings(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Upload the CORE export.

    The filter must be set before anything reads the form, so only `_upload` checks the CSRF token. Rights are checked
    first, so that a file of up to 150 MB from a person without rights is not parsed.
    """
    filter_uploads(request)
    user, nominations_return, rights = open_return(request, pk, number)
    require(rights.may_report)
    return _upload(request, user, nominations_return, rights)


@csrf_protect
def _upload(request: HttpRequest, user: User, nominations_return: NominationsReturn, rights: Rights) -> HttpResponse:
    """Show the form to upload lettings, or store them for a worker to count."""
    form = UploadForm(*posted_with_files(request), cancel=nominations_return.get_absolute_url())
    if form.is_valid():
        file = form.cleaned_data["file"]
        assert isinstance(file, FilteredLettings)
        lettings = services.FilteredFile(
            file_name=file.name or "", packed=file.packed, columns=file.columns, rows=file.rows
        )
        try:
            services.store_lettings(
                nominations_return=nominations_return, file=lettings, author=user, now=timezone.now()
            )
        except services.UnableToReport as error:
            form.add_error("file", str(error))
        else:
            nudge_after_commit(count_waiting.delay)
            messages.success(request, "We have received your lettings and are counting them.")
            return redirect(nominations_return)
    context = {
        **return_context(nominations_return, rights),
        "heading": f"Upload lettings of {nominations_return.quarter}",
        "shows_year": True,
    }
    return form_page(request, _STEP, form, back=nominations_return.get_absolute_url(), **context)


@_FORM
def complete_figures(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Fill in the figures that CORE does not contain.

    They are offers, refusals, and vacancies with and without a nominee in time.
    """
    user, nominations_return, rights = open_return(request, pk, number)
    require(rights.may_report)
    lines = result_of(nominations_return).lines
    form = TableForm(posted(request), lines=lines, grounds=grounds_of(nominations_return, lines))

    def save_figures() -> tuple[str, str]:
        """Save the figures, and return the message and the next page.

        If another person has saved other figures, show these below the entered ones.
        """
        try:
            services.complete_return(
                nominations_return=nominations_return,
                figures=form.figures(),
                figures_seen=form.cleaned_data["read"],
                author=user,
                now=timezone.now(),
            )
        except services.FiguresChanged:
            form.show_saved()
            raise
        return "The figures have been saved.", nominations_return.get_absolute_url()

    context = return_context(nominations_return, rights)
    return take_step(
        request, "nominations/complete.html", form, save_figures, {services.UnableToReport: ABOVE_FORM}, **context
    )


@_FORM
def send_to_council(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Send the return to the council."""
    user, nominations_return, rights = open_return(request, pk, number)
    require(rights.may_report)
    form = SendForm(
        posted(request), disputed=disputed_lines_of(nominations_return), cancel=nominations_return.get_absolute_url()
    )

    def send_return() -> tuple[str, str]:
        """Send the return with the answers to disputed lines. Return the message and the next page."""
        services.send_return(
            nominations_return=nominations_return, answers=form.answers(), author=user, now=timezone.now()
        )
        return f"The return for {nominations_return.quarter} has been sent.", nominations_return.get_absolute_url()

    council = nominations_return.agreement.council_body.name
    lead = f"{council} will confirm or dispute each line. You cannot change the return in the meantime."
    context = {
        **return_context(nominations_return, rights),
        "heading": "Send the return",
        "back": nominations_return.get_absolute_url(),
        "lead": lead,
    }
    return take_step(
        request, _STEP, form, send_return, {services.UnableToReport: ABOVE_FORM}, say_who_gets_emails=True, **context
    )


@_FORM
def reopen_for_changes(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Reopen a confirmed return, so that the provider can correct it. Both sides may do this."""
    user, nominations_return, rights = open_return(request, pk, number)
    require(rights.may_reopen)
    form = ReopenForm(posted(request), cancel=nominations_return.get_absolute_url())

    def reopen_return() -> tuple[str, str]:
        """Reopen the return. Return the message and the next page."""
        reason = form.cleaned_data["reason"]
        services.reopen_return(nominations_return=nominations_return, reason=reason, author=user, now=timezone.now())
        return f"The return for {nominations_return.quarter} is open again.", nominations_return.get_absolute_url()

    provider, council = nominations_return.agreement.provider_body.name, nominations_return.agreement.council_body.name
    lead = (
        f"{provider} corrects the return and sends it. {council} then confirms every line again. "
        f"The figures that {council} confirmed earlier stay on record."
    )
    context = {
        **return_context(nominations_return, rights),
        "heading": "Correct the return",
        "back": nominations_return.get_absolute_url(),
        "lead": lead,
    }
    return take_step(
        request, _STEP, form, reopen_return, {services.UnableToReport: ABOVE_FORM}, say_who_gets_emails=True, **context
    )
