"""The inbox of the signed-in person."""

from __future__ import annotations

import datetime as dt
from typing import Any

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
from partnerships.people.requests import is_reading, signed_in

#: Notices on one page of the inbox.
_PAGE = 30
#: The heading for notices that are not about a partnership.
_ELSEWHERE = "Not about a partnership"


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """My notices, newest first, by partnership."""
    person = signed_in(request)
    group, unread = request.GET.get("group", ""), request.GET.get("unread") == "yes"
    items = InboxItem.objects.filter(person=person).order_by("-created_at", "-pk")
    if group in NoticeGroup.values:
        items = items.filter(group=group)
    if unread:
        items = items.unread()
    page = Paginator(items, _PAGE).get_page(request.GET.get("page"))
    lines = lines_of(person, list(page.object_list))
    context = {
        "page": page,
        "sections": _by_partnership(lines),
        "groups": [
            (notice_group.value, notice_group.label)
            for notice_group in NoticeGroup
            if notice_group != NoticeGroup.ACCOUNT
        ],
        "group": group,
        "unread": unread,
        "has_unread": any(line.item.is_unread for line in lines),
        "here": request.get_full_path(),
    }
    return render(request, "digests/inbox.html", context)


def _by_partnership(lines: list[InboxLine]) -> list[tuple[str, list[InboxLine]]]:
    """Sections of one page, the partnership with the newest notice first."""
    sections: dict[str, list[InboxLine]] = {}
    for line in lines:
        sections.setdefault(line.partnership or _ELSEWHERE, []).append(line)
    return list(sections.items())


@require_safe
def open_item(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark an item read and go to its page, if the person is reading.

    The page of a digest has the person's own links, so administrators who view as them do not come there.
    """
    person = signed_in(request)
    item = get_object_or_404(InboxItem, pk=pk, person=person)
    now = timezone.now()
    if item.record_kind != "digest":
        page = page_of_item(person, item)
    else:
        page = "" if hasattr(request, "view_as") else _digest_page(item, now)
    if is_reading(request):
        services.mark_items(person=person, items=[item.pk], is_read=True, now=now)
    if not page:
        messages.error(request, "You can no longer read what this notice is about.")
        return redirect("digests:inbox")
    return redirect(page)


def _digest_page(item: InboxItem, now: dt.datetime) -> str:
    """The page of a digest, by its reader's own link."""
    key = Preference.objects.filter(person=item.person_id).values_list("link_key", flat=True).first()
    token = make(
        Purpose.READ, person_id=item.person_id, link_key=key or "", number=item.record_id or 0, minute=minute_of(now)
    )
    return reverse("digests:view", kwargs={"token": token})


@require_POST
def mark(request: HttpRequest) -> HttpResponse:
    """Mark one item, or all, as read or unread."""
    person = signed_in(request)
    data = request.POST
    numbers = [int(value) for value in data.getlist("item") if value.isdecimal()]
    if not numbers and "all" not in data:
        messages.error(request, "Select at least one notice.")
        return redirect(_back(data))
    changed = services.mark_items(
        person=person,
        items=None if "all" in data else numbers,
        is_read=data.get("as") != "unread",
        now=timezone.now(),
    )
    state = "unread" if data.get("as") == "unread" else "read"
    messages.success(request, f"{changed:,} {'notice is' if changed == 1 else 'notices are'} now marked {state}.")
    return redirect(_back(data))


def _back(data: Any) -> str:
    """Back to the inbox with its filters, and to no other page."""
    start = reverse("digests:inbox")
    back: str = data.get("back", "")
    return back if back == start or back.startswith(f"{start}?") else start
