"""Pages on which the provider starts a return, uploads lettings, and completes, sends or reopens the return."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from partnerships.kit.http import form_page, post_data, post_data_and_files, show_refusal
from partnerships.kit.nudging import nudge_after_commit
from partnerships.kit.rights import require
from partnerships.nominations import services
from partnerships.nominations.forms import ReopenForm, SendForm, StartForm, SupplementForm, UploadForm
from partnerships.nominations.lettings.uploading import FilteredLettings, filter_uploads
from partnerships.nominations.models import NominationsReturn
from partnerships.nominations.queries import disputed_lines_of, result_of
from partnerships.nominations.queries.pages import quarters_to_start, refusal_grounds
from partnerships.nominations.rights import Rights
from partnerships.nominations.tasks import count_waiting
from partnerships.nominations.views.returns import open_agreement, open_return, return_context
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients

_FORM = require_http_methods(["GET", "HEAD", "POST"])
_STEP = "nominations/step.html"


@_FORM
def new_return(request: HttpRequest, pk: int) -> HttpResponse:
    """Start the return of a quarter that is over."""
    user, agreement, rights = open_agreement(request, pk)
    require(rights.may_report)
    quarters_without_return = quarters_to_start(agreement, timezone.localdate())
    quarters = [(quarter.starts_on.isoformat(), str(quarter)) for quarter in quarters_without_return]
    form = StartForm(post_data(request), quarters=quarters, cancel=agreement.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        day = dt.date.fromisoformat(form.cleaned_data["quarter"])
        with show_refusal(form, services.UnableToReport, field="quarter"):
            nominations_return = services.start_return(
                agreement=agreement, starts_on=day, author=user, now=timezone.now()
            )
            messages.success(request, f"The return for {nominations_return.quarter} has been started.")
            return redirect(nominations_return)

    return form_page(
        request,
        _STEP,
        form,
        heading="Start a return",
        partnership=agreement.partnership,
        back=agreement.get_absolute_url(),
        is_empty=not quarters,
    )


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
    form = UploadForm(*post_data_and_files(request), cancel=nominations_return.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        assert isinstance(file, FilteredLettings)
        lettings = services.FilteredFile(
            file_name=file.name or "", packed=file.packed, columns=file.columns, rows=file.rows
        )
        with show_refusal(form, services.UnableToReport, field="file"):
            services.store_lettings(
                nominations_return=nominations_return, file=lettings, author=user, now=timezone.now()
            )
            nudge_after_commit(count_waiting.delay)
            messages.success(request, "We have received your lettings and are counting them.")
            return redirect(nominations_return)

    return form_page(
        request,
        _STEP,
        form,
        heading=f"Upload lettings of {nominations_return.quarter}",
        back=nominations_return.get_absolute_url(),
        shows_year=True,
        **return_context(nominations_return, rights),
    )


@_FORM
def complete_figures(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Fill in the figures that CORE does not contain.

    They are offers, refusals, and vacancies with and without a nominee in time.
    """
    user, nominations_return, rights = open_return(request, pk, number)
    require(rights.may_report)
    lines = result_of(nominations_return).lines
    form = SupplementForm(post_data(request), lines=lines, grounds=refusal_grounds(nominations_return, lines))

    if request.method == "POST" and form.is_valid():
        try:
            services.complete_return(
                nominations_return=nominations_return,
                figures=form.figures(),
                figures_seen=form.cleaned_data["read"],
                author=user,
                now=timezone.now(),
            )
        except services.FiguresChanged as error:
            form.show_saved()
            form.add_error(None, str(error))
        except services.UnableToReport as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "The figures have been saved.")
            return redirect(nominations_return)

    return form_page(request, "nominations/complete.html", form, **return_context(nominations_return, rights))


@_FORM
def send_to_council(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Send the return to the council."""
    user, nominations_return, rights = open_return(request, pk, number)
    require(rights.may_report)
    form = SendForm(
        post_data(request), disputed=disputed_lines_of(nominations_return), cancel=nominations_return.get_absolute_url()
    )

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToReport):
            with collect_recipients() as recipients:
                services.send_return(
                    nominations_return=nominations_return, answers=form.answers(), author=user, now=timezone.now()
                )
            messages.success(
                request, f"The return for {nominations_return.quarter} has been sent.{recipients.sentence()}"
            )
            return redirect(nominations_return)

    council = nominations_return.agreement.council_body.name
    return form_page(
        request,
        _STEP,
        form,
        heading="Send the return",
        lead=f"{council} will confirm or dispute each line. You cannot change the return in the meantime.",
        back=nominations_return.get_absolute_url(),
        **return_context(nominations_return, rights),
    )


@_FORM
def reopen_for_changes(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Reopen a confirmed return, so that the provider can correct it. Both sides may do this."""
    user, nominations_return, rights = open_return(request, pk, number)
    require(rights.may_reopen)
    form = ReopenForm(post_data(request), cancel=nominations_return.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        with show_refusal(form, services.UnableToReport):
            with collect_recipients() as recipients:
                services.reopen_return(
                    nominations_return=nominations_return, reason=reason, author=user, now=timezone.now()
                )
            messages.success(
                request, f"The return for {nominations_return.quarter} is open again.{recipients.sentence()}"
            )
            return redirect(nominations_return)

    provider = nominations_return.agreement.provider_body.name
    council = nominations_return.agreement.council_body.name
    lead = (
        f"{provider} will correct the return and send it again. {council} will then confirm every line again. "
        f"The figures that {council} confirmed earlier stay on record."
    )
    return form_page(
        request,
        _STEP,
        form,
        heading="Correct the return",
        lead=lead,
        back=nominations_return.get_absolute_url(),
        **return_context(nominations_return, rights),
    )
