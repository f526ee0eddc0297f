"""The public list of pending successions, as a page, a CSV file and a feed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from django.contrib.auth.decorators import login_not_required
from django.contrib.syndication.views import Feed
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.http import require_safe

from partnerships.kit.exports import csv_response
from partnerships.organisations.lineage import pending_successions
from partnerships.organisations.models import Organisation, Scheme, Succession, SuccessionTie
from partnerships.organisations.presenting import has_function_ties, succession_title, vesting_day_in_words
from partnerships.organisations.rights import roles_of
from partnerships.organisations.succession_tasks import action_needed
from partnerships.people.models import User

_HEADINGS = (
    "Succession",
    "Kind",
    "Status",
    "Place",
    "Proposal",
    "Predecessor",
    "Predecessor codes",
    "Predecessor org-ids",
    "Successor",
    "Successor org-ids",
    "Role",
    "Function",
    "Share",
    "Share measured in",
    "Election or shadow",
    "Vesting day",
    "New codes from",
    "Instrument",
    "Instrument address",
    "Source",
    "Source address",
)


class PendingLine(NamedTuple):
    """A succession on the page. `to_do` is what an administrator must do about the succession, or ""."""

    heading: str
    succession: Succession
    is_by_function: bool
    to_do: str


@login_not_required
@require_safe
def pending(request: HttpRequest) -> HttpResponse:
    """Show the list of pending successions to everyone."""
    user = request.user
    may_change_directory = isinstance(user, User) and roles_of(user, timezone.now()).may_change_directory
    today = timezone.localdate()
    rows = [
        PendingLine(
            heading=succession_title(succession),
            succession=succession,
            is_by_function=has_function_ties(succession),
            to_do=action_needed(succession, today),
        )
        for succession in pending_successions()
    ]
    return render(request, "organisations/pending.html", {"rows": rows, "may_change_directory": may_change_directory})


@login_not_required
@require_safe
def pending_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Return the pending successions as a CSV file, with a row for each tie."""
    successions = pending_successions().prefetch_related(
        "ties__predecessor__identifiers__organisation", "ties__successor__identifiers__organisation"
    )
    rows = [_row(succession, tie) for succession in successions for tie in succession.ties.all()]
    return csv_response("pending-successions.csv", _HEADINGS, rows)


def _row(succession: Succession, tie: SuccessionTie) -> Sequence[object]:
    """Return the cells of a tie, in the order of `_HEADINGS`."""
    return (
        succession.pk,
        succession.kind,
        succession.status,
        succession.place,
        succession.proposal,
        tie.predecessor.name,
        _gss_codes(tie.predecessor),
        " ".join(tie.predecessor.org_ids),
        tie.successor.name if tie.successor else "",
        " ".join(tie.successor.org_ids) if tie.successor else "",
        tie.role,
        tie.function_id or "",
        tie.share if tie.share is not None else "",
        tie.geography,
        str(succession.shadow_on or ""),
        str(succession.vests_on or ""),
        str(succession.codes_on or ""),
        succession.instrument,
        succession.instrument_url,
        succession.source,
        succession.source_url,
    )


def _gss_codes(organisation: Organisation) -> str:
    """Return the organisation's codes of the Office for National Statistics, as one text."""
    codes = [identifier.value for identifier in organisation.identifiers.all() if identifier.scheme == Scheme.GSS]
    return " ".join(sorted(codes))


class PendingFeed(Feed[Succession, None]):
    """The Atom feed of pending successions, the last changed first."""

    feed_type = Atom1Feed
    title = "Pending successions of councils, LEPs and registered providers"
    subtitle = "The list is incomplete. Each succession names its source."

    def link(self) -> str:
        """Return the URL of the list page."""
        return reverse("organisations:pending")

    def feed_url(self) -> str:
        """Return the URL of the feed."""
        return reverse("organisations:pending-feed")

    def items(self) -> list[Succession]:
        """Return the pending successions, the last changed first."""
        successions = pending_successions()
        return sorted(successions, key=lambda item: (item.changed_at, item.pk), reverse=True)  # type: ignore[attr-defined]  # annotated

    def item_title(self, item: Succession) -> str:
        """Return a title that says what happens and when."""
        return f"{succession_title(item)} {vesting_day_in_words(item)}".strip()

    def item_description(self, item: Succession) -> str:
        """Return the status, instrument and source as one text."""
        parts = (item.get_status_display(), item.instrument, item.source and f"Source: {item.source}")
        return ". ".join(filter(None, parts))

    def item_link(self, item: Succession) -> str:
        """Return the URL of the succession's entry on the public page."""
        return f"{self.link()}#succession-{item.pk}"

    def item_updateddate(self, item: Succession) -> dt.datetime:
        """Return the time at which the succession was last changed."""
        changed_at: dt.datetime = item.changed_at  # type: ignore[attr-defined]  # annotated
        return changed_at


@login_not_required
@require_safe
def pending_feed(request: HttpRequest) -> HttpResponse:
    """Return the Atom feed of pending successions."""
    return PendingFeed()(request)
