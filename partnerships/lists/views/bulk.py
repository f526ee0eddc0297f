"""One thing with several rows of a list: the page that asks first, and the change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.kit.http import form_page, posted, row_number
from partnerships.kit.lists import BulkAction, ListDefinition
from partnerships.lists import services
from partnerships.lists.bulk import follow_action
from partnerships.lists.downloads import FORMATS
from partnerships.lists.presenting import name_of
from partnerships.lists.reading import Listing
from partnerships.lists.views.asking import listing_of
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in


def actions_of(definition: ListDefinition) -> list[BulkAction]:
    """What can be done with several rows of a list."""
    follow = follow_action(definition)
    return [*definition.actions, *([follow] if follow else [])]


def action_choices(definition: ListDefinition) -> list[tuple[str, str]]:
    """The same for the form below the table, with the files of the rows that are chosen."""
    files = [(form, f"Download as {words}") for form, words in FORMATS.items()]
    return [*((action.name, action.label) for action in actions_of(definition)), *files]


@require_http_methods(["GET", "HEAD", "POST"])
def bulk(request: HttpRequest, kind: str) -> HttpResponse:
    """What will be changed and what left out, then the change.

    The form below the table sends `row` for each row, or `all`. The address of this page names the rows, so that what
    is confirmed is what was shown.
    """
    person = signed_in(request)
    listing, back = listing_of(request, kind)
    wanted = request.GET.get("action", "")
    action = next((action for action in actions_of(listing.definition) if action.name == wanted), None)
    if action is None and wanted not in FORMATS:
        raise Http404
    if "rows" not in request.GET:
        return _name_rows(request, listing, wanted, back)
    numbers = numbers_in(request.GET["rows"])
    if not numbers:
        raise Http404
    if action is None:
        return redirect(f"{reverse('lists:export', args=[kind, wanted])}{listing.address(rows=_joined(numbers))}")
    return _confirm(request, person, listing, action, numbers, back)


def _name_rows(request: HttpRequest, listing: Listing, wanted: str, back: str) -> HttpResponse:
    """Lead to the address that names the rows.

    Back to the list if there are none, or too many.
    """
    numbers = _numbers(request.GET.getlist("row"))
    if request.GET.get("all") and listing.form.is_valid():
        if wanted in FORMATS:
            return redirect(f"{reverse('lists:export', args=[listing.definition.slug, wanted])}{listing.address()}")
        row_numbers = listing.found().order_by("pk").values_list("pk", flat=True)
        numbers = list(row_numbers[: services.MAX_CHANGED + 1])
    if not numbers:
        messages.error(request, "Choose at least one row first.")
    elif len(numbers) > services.MAX_CHANGED:
        messages.error(request, f"At most {services.MAX_CHANGED} rows can be changed at once. Filter the list first.")
    else:
        return redirect(f"{request.path}{listing.address(action=wanted, rows=_joined(numbers))}")
    return redirect(back)


def _confirm(
    request: HttpRequest, person: User, listing: Listing, action: BulkAction, numbers: list[int], back: str
) -> HttpResponse:
    """The page that says what will change and what is left out, and does it when confirmed.

    If every row is refused, say for a day in the past, it shows the form again with what was entered.
    """
    definition, now = listing.definition, timezone.now()
    rows = list(definition.readable(person).filter(pk__in=numbers[: services.MAX_CHANGED]).order_by("pk"))
    definition.make_ready(person, rows, [definition.first])
    reasons = action.left_out(person, rows, now)
    changing = [row for row in rows if row.pk not in reasons]
    form: Any = action.form(posted(request), person, changing)
    form.helper.cancel_href = back
    if form.is_valid() and changing:
        with collect_recipients() as recipients:
            outcome = services.change_rows(
                definition=definition,
                action=action,
                numbers=[row.pk for row in changing],
                person=person,
                chosen=form.cleaned_data,
                now=now,
            )
        if outcome.changed:
            _say(request, definition, action, outcome, recipients.sentence())
            return redirect(back)
        for reason in _refused(definition, outcome):
            form.add_error(None, reason)
    if form.is_bound and (not changing or not form.errors):
        form.add_error(None, "None of these rows can be changed.")
    left_out = defaultdict(list)
    for row in rows:
        if row.pk in reasons:
            left_out[reasons[row.pk]].append(name_of(definition, row))
    return form_page(
        request,
        "lists/bulk.html",
        form,
        definition=definition,
        action=action,
        changing=[name_of(definition, row) for row in changing],
        left_out=list(left_out.items()),
        left_out_count=len(rows) - len(changing),
        back=back,
    )


def _refused(definition: ListDefinition, outcome: services.Outcome) -> list[str]:
    """Why no row was changed.

    It says the reason of all, or the first five, each with the name of its row.
    """
    reasons = {reason for _, reason in outcome.left_out}
    if len(reasons) == 1:
        return [*reasons]
    return [f"{name_of(definition, row)}: {reason}" for row, reason in outcome.left_out[:5]]


def _say(
    request: HttpRequest, definition: ListDefinition, action: BulkAction, outcome: services.Outcome, emailed: str
) -> None:
    count = len(outcome.changed)
    what = definition.one if count == 1 else definition.title.lower()
    messages.success(request, f"{count} {what}: {action.done}.{emailed}")
    for row, reason in outcome.left_out[:5]:
        messages.warning(request, f"{name_of(definition, row)}: {reason}")
    if len(outcome.left_out) > 5:
        messages.warning(request, f"{len(outcome.left_out) - 5} more were left out.")


def _numbers(texts: Iterable[str]) -> list[int]:
    """Numbers of rows; what is not a number is left out."""
    return sorted({number for text in texts if (number := row_number(text)) is not None})


def numbers_in(text: str | None) -> list[int]:
    """The numbers of rows that an address names; none if it names none."""
    return _numbers(text.split(",")) if text else []


def _joined(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))
