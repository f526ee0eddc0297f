"""The inbox of the signed-in person."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from partnerships.digests import services
from partnerships.digests.emails.links import Purpose, make, minute_of
from partnerships.digests.models import InboxItem, Preference
from partnerships.digests.queries.inbox import InboxLine, lines_of, page_of_item
from partnerships.outbox.groups import NoticeGroup
from partnerships.people.requests import is_reading_page, signed_in

#: How many notices one page of the inbox shows.
_PAGE = 30
#: The heading of notices that are not about a partnership.
_NO_PARTNERSHIP = "Not about a partnership"


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """Show the person's notices by partnership, newest first."""
    person = signed_in(request)
    group = request.GET.get("group", "")
    only_unread = request.GET.get("unread") == "yes"
    items = InboxItem.objects.filter(person=person).order_by("-created_at", "-pk")
    if group in NoticeGroup.values:
        items = items.filter(group=group)
    if only_unread:
        items = items.unread()

    page = Paginator(items, _PAGE).get_page(request.GET.get("page"))
    lines = lines_of(person, list(page.object_list))
    shown_groups = [notice_group for notice_group in NoticeGroup if notice_group != NoticeGroup.ACCOUNT]
    context = {
        "page": page,
        "sections": _by_partnership(lines),
        "groups": [(notice_group.value, notice_group.label) for notice_group in shown_groups],
        "group": group,
        "only_unread": only_unread,
        "has_unread": any(line.item.is_unread for line in lines),
        "page_path": request.get_full_path(),
    }
    return render(request, "digests/inbox.html", context)


def _by_partnership(lines: list[InboxLine]) -> list[tuple[str, list[InboxLine]]]:
    """Return the lines of one page under headings; the partnership with the newest notice comes first."""
    lines_by_heading: dict[str, list[InboxLine]] = {}
    for line in lines:
        lines_by_heading.setdefault(line.partnership or _NO_PARTNERSHIP, []).append(line)
    return list(lines_by_heading.items())


@require_safe
def open_item(request: HttpRequest, pk: int) -> HttpResponse:
    """Redirect to the page that a notice is about, and mark the notice as read.

    The notice remains unread if an administrator views the site as the person. Administrators cannot open a digest that
    way, because its page contains the person's own links.
    """
    person = signed_in(request)
    item = get_object_or_404(InboxItem, pk=pk, person=person)
    now = timezone.now()
    is_viewed_by_administrator = hasattr(request, "view_as")
    if item.record_kind != "digest":
        path = page_of_item(person, item)
    elif is_viewed_by_administrator:
        path = ""
    else:
        path = _digest_path(item, now)
    if is_reading_page(request):
        services.mark_items(person=person, item_ids=[item.pk], is_read=True, now=now)
    if not path:
        messages.error(request, "You can no longer read what this notice is about.")
        return redirect("digests:inbox")
    return redirect(path)


def _digest_path(item: InboxItem, now: dt.datetime) -> str:
    """Return the path of a digest's page, with a new signed link for its reader."""
    link_key = Preference.objects.filter(person=item.person_id).values_list("link_key", flat=True).first()
    token = make(
        Purpose.READ,
        person_id=item.person_id,
        link_key=link_key or "",
        record_id=item.record_id or 0,
        minute=minute_of(now),
    )
    return reverse("digests:view", kwargs={"token": token})


@require_POST
def mark_notices(request: HttpRequest) -> HttpResponse:
    """Mark the selected notices, or all notices, as read or unread."""
    person = signed_in(request)
    inbox_url = _inbox_url(request.POST.get("back", ""))
    marks_all = "all" in request.POST
    item_ids = [int(value) for value in request.POST.getlist("item") if value.isdecimal()]
    if not item_ids and not marks_all:
        messages.error(request, "Select at least one notice.")
        return redirect(inbox_url)

    is_read = request.POST.get("as") != "unread"
    changed_count = services.mark_items(
        person=person, item_ids=None if marks_all else item_ids, is_read=is_read, now=timezone.now()
    )
    subject = "notice is" if changed_count == 1 else "notices are"
    state = "read" if is_read else "unread"
    messages.success(request, f"{changed_count:,} {subject} now marked {state}.")
    return redirect(inbox_url)


def _inbox_url(back_url: str) -> str:
    """Return the path of the inbox with the filters of the page from which the form was sent.

    A path to any other page is ignored, because another site could have put it into the form.
    """
    inbox_path = reverse("digests:inbox")
    is_inbox = back_url == inbox_path or back_url.startswith(f"{inbox_path}?")
    return back_url if is_inbox else inbox_path
