"""After an organisation passes on its posts, end the time of holders who do not act for the new organisation."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import Holder
from partnerships.agreements.services.posts import end_holding, record_post_event
from partnerships.organisations.models import Membership
from partnerships.organisations.obligations import Change, RecordMove


def end_holdings_left_behind(record_ids: Collection[int], move: RecordMove) -> list[Change]:
    """End the time of people who hold these posts but do not act for `move.target`, and return the changes.

    Contacts without an account keep their posts.
    """
    today = timezone.localdate(move.now)
    memberships = Membership.objects.filter(
        Q(ends_on=None) | Q(ends_on__gt=today), organisation=move.target, accepted_at__isnull=False
    )
    holders = (
        Holder.objects.current_or_future(today)
        .filter(post__in=record_ids, post__organisation=move.target)
        .exclude(person=None)
        .exclude(person__in=memberships.values("person"))
    )
    reason = f"The holder does not act for {move.target.display_name}."
    changes = []
    for holder in holders.select_for_update(of=("self",)).select_related("post").order_by("pk"):
        before = {"ends_on": holder.ends_on and holder.ends_on.isoformat(), "reason": holder.reason}
        end_holding(holder, on=today, reason=reason, now=move.now)
        record_post_event(
            holder.post, EventKind.POST_VACATED, author=move.author, now=move.now, holder=holder, reason=reason
        )
        after = {"ends_on": holder.ends_on and holder.ends_on.isoformat(), "reason": holder.reason}
        changes.append(Change(Holder._meta.label, holder.pk, before, after))
    return changes
