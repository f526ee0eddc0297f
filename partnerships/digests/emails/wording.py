"""Subjects, headings and the privacy notice of digests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from partnerships.digests.emails.news import News
from partnerships.digests.models import Subscription
from partnerships.kit.dates import long_date
from partnerships.kit.text import shorten

#: Longer subjects are cut off in lists of emails.
MAX_SUBJECT = 140
LEAD = "this is what changed in the plans you follow since your last digest."
LEAD_OF_MATCHES = "there are new matches for your organisation's asks and offers."


def subject_of(news: Sequence[News]) -> str:
    """The subject of a digest: "3 changes in Harbour Quarter".

    For several plans it has the counts and their titles.
    """
    if not news:
        return ""
    if len(news) == 1:
        only = news[0]
        return shorten(
            f"New plan: {only.title}" if only.is_new else f"{only.count_in_words} in {only.title}", MAX_SUBJECT
        )
    return shorten(f"{heading_of(news)}: {', '.join(one.title for one in news)}", MAX_SUBJECT)


def heading_of(news: Sequence[News]) -> str:
    """The count in words: "5 changes in 2 plans and 1 new plan"."""
    changed = [one for one in news if not one.is_new]
    fresh = len(news) - len(changed)
    count = sum(one.count for one in changed)
    said = []
    if changed:
        plans = f" in {len(changed)} plans" if len(changed) > 1 else f" in {changed[0].title}"
        said.append(f"{count:,} change{'' if count == 1 else 's'}{plans}")
    if fresh:
        said.append(f"{fresh} new plan{'' if fresh == 1 else 's'}")
    return " and ".join(said)


def with_matches(words: str, count: int) -> str:
    """A subject or heading that also counts new matches."""
    said = f"{count} new match{'' if count == 1 else 'es'}"
    return f"{words} and {said}" if words else said


def privacy_notice(subscription: Subscription | None) -> str:
    """Who gave us the address, when and why (UK GDPR Article 14).

    Empty for people who gave it themselves. The text ends with a link.
    """
    if subscription is None or subscription.added_for is None:
        return ""
    giver = subscription.added_by.display_name if subscription.added_by else "a colleague"
    return _privacy_notice(
        giver,
        subscription.added_for.name,
        subscription.asked_at.date(),
        is_replacement=subscription.replaces_id is not None,
    )


@lru_cache(maxsize=256)
def _privacy_notice(giver: str, organisation: str, given_on: dt.date, *, is_replacement: bool) -> str:
    values = {
        "giver": giver,
        "organisation": organisation,
        "is_replacement": is_replacement,
        "given_on": long_date(given_on),
        "site_name": settings.SITE_NAME,
        "link": f"{settings.SITE_ORIGIN}{reverse('people:privacy')}",
    }
    return " ".join(render_to_string("emails/digests/_privacy_notice.txt", values).split())
