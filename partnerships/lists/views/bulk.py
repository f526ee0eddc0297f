"""The page on which a reader checks and confirms a change to several rows of a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.kit.http import form_page, post_data, row_number
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
    """Return the actions that a list offers for several rows, with “Follow” if its rows can be followed."""
    follow = follow_action(definition)
    return [*definition.actions, *([follow] if follow else [])]


def action_choices(definition: ListDefinition) -> list[tuple[str, str]]:
    """Return the choices of the form below the table, first the actions, then a download in each format."""
    actions = [(action.name, action.label) for action in actions_of(definition)]
    downloads = [(form, f"Download as {label}") for form, label in FORMATS.items()]
    return [*actions, *downloads]


@require_http_methods(["GET", "HEAD", "POST"])
def change_several(request: HttpRequest, kind: str) -> HttpResponse:
    """Show which rows will be changed and which will be left out. Change them when the reader confirms.

    The form below the table sends `row` for each row, or `all`. The view then redirects to an address with the ids of
    the rows. Exactly these rows are changed, even if other rows match the filters by then.
    """
    person = signed_in(request)
    listing, back = listing_of(request, kind)
    action_name = request.GET.get("action", "")
    action = next((action for action in actions_of(listing.definition) if action.name == action_name), None)
    if action is None and action_name not in FORMATS:
        raise Http404
    if "rows" not in request.GET:
        return _redirect_to_named_rows(request, listing, action_name, back)

    row_ids = row_ids_in(request.GET["rows"])
    if not row_ids:
        raise Http404
    if action is None:  # the action is a download in one of the formats
        export_url = reverse("lists:export", args=[kind, action_name])
        return redirect(f"{export_url}{listing.address(rows=_ids_in_address(row_ids))}")
    return _confirm(request, person, listing, action, row_ids, back)


def _redirect_to_named_rows(request: HttpRequest, listing: Listing, action_name: str, back: str) -> HttpResponse:
    """Redirect to the address with the ids of the chosen rows, or back to the list if there are none or too many.

    The address of a download of all rows has only the filters, because these select the rows.
    """
    row_ids = _read_row_ids(request.GET.getlist("row"))
    if request.GET.get("all") and listing.form.is_valid():
        if action_name in FORMATS:
            export_url = reverse("lists:export", args=[listing.definition.slug, action_name])
            return redirect(f"{export_url}{listing.address()}")
        matching_ids = listing.matching_rows().order_by("pk").values_list("pk", flat=True)
        row_ids = list(matching_ids[: services.MAX_CHANGED + 1])

    if not row_ids:
        messages.error(request, "Choose at least one row first.")
    elif len(row_ids) > services.MAX_CHANGED:
        messages.error(request, f"You can change at most {services.MAX_CHANGED} rows at once. Filter the list first.")
    else:
        return redirect(f"{request.path}{listing.address(action=action_name, rows=_ids_in_address(row_ids))}")
    return redirect(back)


def _confirm(
    request: HttpRequest, person: User, listing: Listing, action: BulkAction, row_ids: list[int], back: str
) -> HttpResponse:
    """Show the rows that will change and those that are left out, and change them when the form is sent.

    If the services refuse every row, for example because a day is in the past, the page shows the form again.
    """
    definition, now = listing.definition, timezone.now()
    rows = list(definition.readable(person).filter(pk__in=row_ids[: services.MAX_CHANGED]).order_by("pk"))
    definition.make_ready(person, rows, [definition.first])
    reason_by_id = action.left_out(person, rows, now)
    rows_to_change = [row for row in rows if row.pk not in reason_by_id]
    form: Any = action.form(post_data(request), person, rows_to_change)
    form.helper.cancel_href = back

    if request.method == "POST" and form.is_valid() and rows_to_change:
        with collect_recipients() as recipients:
            outcome = services.change_rows(
                definition=definition,
                action=action,
                row_ids=[row.pk for row in rows_to_change],
                person=person,
                chosen=form.cleaned_data,
                now=now,
            )
        if outcome.changed:
            _add_messages(request, definition, action, outcome, recipients.sentence())
            return redirect(back)
        for reason in _refusal_messages(definition, outcome):
            form.add_error(None, reason)
    has_no_explanation = form.is_bound and not form.errors
    if has_no_explanation or (form.is_bound and not rows_to_change):
        form.add_error(None, "You cannot change any of these rows. Go back and choose other rows.")

    return form_page(
        request,
        "lists/bulk.html",
        form,
        definition=definition,
        action=action,
        names_to_change=[name_of(definition, row) for row in rows_to_change],
        names_by_reason=_names_by_reason(definition, rows, reason_by_id),
        left_out_count=len(rows) - len(rows_to_change),
        back=back,
    )


def _names_by_reason(
    definition: ListDefinition, rows: Iterable[Any], reason_by_id: Mapping[int, str]
) -> dict[str, list[str]]:
    """Return the names of the rows that are left out, by the reason."""
    names_by_reason: dict[str, list[str]] = {}
    for row in rows:
        reason = reason_by_id.get(row.pk)
        if reason is not None:
            names_by_reason.setdefault(reason, []).append(name_of(definition, row))
    return names_by_reason


def _refusal_messages(definition: ListDefinition, outcome: services.Outcome) -> list[str]:
    """Return the reason why no row was changed, or the name and reason of the first five rows if reasons differ."""
    reasons = {reason for _, reason in outcome.left_out}
    if len(reasons) == 1:
        return [*reasons]
    return [f"{name_of(definition, row)}: {reason}" for row, reason in outcome.left_out[:5]]


def _add_messages(
    request: HttpRequest,
    definition: ListDefinition,
    action: BulkAction,
    outcome: services.Outcome,
    recipients_sentence: str,
) -> None:
    """Add a message about the changed rows, and a message for each of the first five rows that were left out."""
    count = len(outcome.changed)
    noun = definition.one if count == 1 else definition.title.lower()
    messages.success(request, f"{count} {noun}: {action.done}.{recipients_sentence}")
    for row, reason in outcome.left_out[:5]:
        messages.warning(request, f"{name_of(definition, row)}: {reason}")
    if len(outcome.left_out) > 5:
        messages.warning(request, f"We left out {len(outcome.left_out) - 5} more.")


def _read_row_ids(texts: Iterable[str]) -> list[int]:
    """Return the ids among these texts, sorted. Other texts are ignored, because people can edit an address."""
    return sorted({row_id for text in texts if (row_id := row_number(text)) is not None})


def row_ids_in(text: str | None) -> list[int]:
    """Return the ids in the parameter `rows` of an address, for example “3,17”."""
    return _read_row_ids(text.split(",")) if text else []


def _ids_in_address(row_ids: Iterable[int]) -> str:
    """Return the ids as the parameter `rows` of an address, for example “3,17”."""
    return ",".join(map(str, row_ids))
