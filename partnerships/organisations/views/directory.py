"""The page of an organisation, its settings, and suggestions of organisations.

`require` answers 403 if its condition is false.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.activity.seen import note_events_seen
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.forms import SettingsForm
from partnerships.organisations.lineage import successions_of
from partnerships.organisations.models import (
    AreaServed,
    Identifier,
    Membership,
    Merge,
    Organisation,
    OrganisationName,
    Succession,
    SuccessionTie,
)
from partnerships.organisations.presenting import succession_lines
from partnerships.organisations.queries import contacts_of, find_organisations
from partnerships.organisations.rights import roles_of
from partnerships.organisations.sections import ON_ORGANISATIONS
from partnerships.organisations.services import UnableToUpdateOrganisation, update_organisation
from partnerships.organisations.statements import (
    RowsAbout,
    functions_with_rows,
    lookup,
    read_ahead,
    row_or_404,
    rows_for,
    rows_lookup,
)
from partnerships.organisations.timeline import newest_events, newest_events_lookup, timeline_lines, timeline_lookups
from partnerships.people.models import User
from partnerships.people.requests import is_reading_page, signed_in

#: The largest number of organisations in a suggestion box.
SUGGESTIONS = 20


@require_safe
def suggest_organisations(request: HttpRequest) -> JsonResponse:
    """Return organisations that match the text, as JSON for suggestion boxes."""
    text = request.GET.get("q", "")[:200]
    if not text.strip():
        return JsonResponse({"results": []})
    organisations = find_organisations(user=signed_in(request), text=text).current().prefetch_related("identifiers")
    results = [
        {
            "id": organisation.pk,
            "name": organisation.name,
            "kind": organisation.kind_in_words,
            "org_ids": organisation.org_ids,
        }
        for organisation in organisations.order_by("name", "pk")[:SUGGESTIONS]
    ]
    return JsonResponse({"results": results})


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the page of an organisation, with its newest events. A merged record redirects to the record that was kept.

    The events that the person has now seen are recorded, so that their inbox does not count them as new.
    """
    user = signed_in(request)
    # `read_ahead` sends these lookups as one query. `rows_for` and the functions called below then use their rows.
    read_ahead(
        [
            lookup(_readable_organisation, user, pk),
            rows_lookup(pk, *_OFTEN_EMPTY),
            lookup(_contacts, pk),
            newest_events_lookup(user, kind="organisation", record_id=pk, count=_EVENTS),
            ON_ORGANISATIONS.rows_lookup(pk),
        ]
    )
    organisation = row_or_404(_readable_organisation, user, pk)
    if organisation.merged_into_id:
        return redirect("organisations:detail", pk=organisation.merged_into_id)

    contacts = rows_for(_contacts, pk)
    events = newest_events(user, kind="organisation", record_id=pk, count=_EVENTS)
    if is_reading_page(request):
        event_ids = [event.pk for event in events]
        note_events_seen(person_id=user.pk, kind="organisation", record_id=pk, event_ids=event_ids, now=timezone.now())
    # The sections come before the lines of the timeline, because the names in these are read together with them.
    sections = ON_ORGANISATIONS.of(user, organisation, also=timeline_lookups(events))
    context = {
        "organisation": organisation,
        "contacts": contacts,
        "may_invite_first_lead": user.is_staff and not organisation.is_ended and not contacts,
        "lines": timeline_lines(events),
        "sections": sections,
        "may_change": roles_of(user, timezone.now()).leads(organisation.pk),
        **_facts_context(organisation),
    }
    return render(request, "organisations/detail.html", context)


def _successions(organisation_id: int) -> QuerySet[Succession]:
    """Return the live successions of an organisation with their ties, the newest first."""
    return successions_of(organisation_id)


def _facts_context(organisation: Organisation) -> dict[str, Any]:
    """Return the facts that the directory records about the organisation, such as its identifiers and former names."""
    # Most organisations lack most of these rows, so read only those that exist.
    queries_with_rows = functions_with_rows(organisation.pk, *_OFTEN_EMPTY)
    page_queries = [page_query for query, page_query in _PAGE_QUERIES.items() if query in queries_with_rows]
    if _ties in queries_with_rows:
        page_queries.append(_successions)
    read_ahead(lookup(page_query, organisation.pk) for page_query in page_queries)

    def rows_about(query: RowsAbout) -> list[Any]:
        return rows_for(_PAGE_QUERIES[query], organisation.pk) if query in queries_with_rows else []

    successions = rows_for(_successions, organisation.pk) if _ties in queries_with_rows else ()
    lines = succession_lines(organisation, successions, timezone.localdate())
    return {
        "identifiers": rows_about(_identifiers),
        "names": [name for name in rows_about(_names) if name.name != organisation.name],
        "areas_served": rows_about(_areas_served),
        "group_members": rows_about(_members_of_group),
        "successions": lines,
        "has_predecessors": any(line.names_replaced_bodies for line in lines),
    }


def _readable_organisation(user: User, pk: int) -> QuerySet[Organisation]:
    """Return the query for an organisation, with the id of the organisation into which it was merged, if any."""
    kept_ids = Merge.objects.in_force().filter(merged=OuterRef("pk")).values("kept")
    bodies = Organisation.objects.visible_to(user).select_related("region", "parent").filter(pk=pk)
    return bodies.annotate(merged_into_id=Subquery(kept_ids))  # type: ignore[no-redef]  # declared on the model


def _identifiers(organisation_id: int) -> QuerySet[Identifier]:
    """Return the identifiers of an organisation, by scheme and value."""
    identifiers = Identifier.objects.filter(organisation=organisation_id)
    return identifiers.select_related("organisation").order_by("scheme", "value")


def _names(organisation_id: int) -> QuerySet[OrganisationName]:
    """Return all present and former names of an organisation."""
    return OrganisationName.objects.filter(organisation=organisation_id).order_by("name", "pk")


def _areas_served(organisation_id: int) -> QuerySet[AreaServed]:
    """Return the areas that an organisation serves, by name."""
    return AreaServed.objects.filter(organisation=organisation_id).select_related("area").order_by("area__name", "pk")


def _members_of_group(organisation_id: int) -> QuerySet[Organisation]:
    """Return the organisations with this organisation as their parent."""
    return Organisation.objects.filter(parent=organisation_id)


def _group_members(organisation_id: int) -> QuerySet[Organisation]:
    """Return the first 50 members of the group, by name."""
    return _members_of_group(organisation_id).order_by("name", "pk")[:50]


def _ties(organisation_id: int) -> QuerySet[SuccessionTie]:
    """Return the successions' ties in which the organisation is the predecessor or the successor."""
    return SuccessionTie.objects.filter(Q(predecessor=organisation_id) | Q(successor=organisation_id))


#: Rows that many organisations lack. One query finds out which of these queries have rows, and only these are then run.
_OFTEN_EMPTY = (_identifiers, _names, _areas_served, _members_of_group, _ties)
#: The query that the page runs if one of these has rows. Ties are missing, because `successions_of` reads them.
_PAGE_QUERIES: dict[RowsAbout, RowsAbout] = {
    _identifiers: _identifiers,
    _names: _names,
    _areas_served: _areas_served,
    _members_of_group: _group_members,
}
#: The number of newest events that the page shows.
_EVENTS = 10


def _contacts(organisation_id: int) -> QuerySet[Membership]:
    """Return the first 12 contacts of an organisation."""
    return contacts_of(organisation_id)[:12]


@require_http_methods(["GET", "HEAD", "POST"])
def change_settings(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the settings of an organisation as one of its leads."""
    user = signed_in(request)
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    require(roles_of(user, timezone.now()).leads(organisation.pk))  # administrators use Django admin
    form = SettingsForm(post_data(request), organisation=organisation)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToUpdateOrganisation):
            changed_fields = update_organisation(
                organisation=organisation, author=user, now=timezone.now(), **form.cleaned_data
            )
            message = f"{organisation.name} has been saved." if changed_fields else "Nothing was changed."
            messages.success(request, message)
            return redirect("organisations:detail", pk)

    return form_page(request, "organisations/settings.html", form, organisation=organisation)
