"""The list of conversations."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.conversations import queries
from partnerships.conversations.forms.filters import FilterForm
from partnerships.conversations.models import Conversation
from partnerships.kit.forms import active_filters
from partnerships.kit.http import keyset_page
from partnerships.organisations.models import EDITING_ROLES, Membership
from partnerships.people.requests import signed_in

#: Quiet partnerships shown above the list; My work lists all of them.
_QUIET_SHOWN = 10


@require_safe
def conversation_list(request: HttpRequest) -> HttpResponse:
    """Conversations the person may see, newest first, and quiet partnerships."""
    user = signed_in(request)
    form = FilterForm(request.GET, user=user)
    rows = Conversation.objects.visible_to(user)
    if form.is_valid():
        chosen = form.cleaned_data
        wanted = {name: chosen[name] for name in ("status", "theme", "partnership") if chosen[name]}
        rows = rows.filter(**wanted)
        if chosen["words"]:
            rows = queries.with_words(rows, chosen["words"])
    page = keyset_page(request, rows.for_listing(), order=("-held_on", "-pk"))
    queries.name_as_at(page.rows)
    context = {
        "form": form,
        "page": page,
        "chips": active_filters(form, request.GET),
    }
    if getattr(request, "htmx", False):
        return render(request, "conversations/_results.html", context)
    quiet = queries.gone_quiet(user, timezone.now(), limit=_QUIET_SHOWN + 1)
    context |= {
        "quiet": quiet[:_QUIET_SHOWN],
        "more_quiet": len(quiet) > _QUIET_SHOWN,
        "may_record": bool(Membership.objects.organisations_of(user, *EDITING_ROLES)),
    }
    return render(request, "conversations/list.html", context)
