"""Writes subjects, headings, first sentences and the privacy notice of digests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from partnerships.digests.emails.changes import Section
from partnerships.digests.emails.news import News
from partnerships.digests.models import Subscription
from partnerships.digests.planning.notices import NoticeLine
from partnerships.digests.schedule import local_day
from partnerships.kit.dates import long_date
from partnerships.kit.text import counted, listed, shorten
from partnerships.outbox.content import render_subject

#: The longest subject, in characters; lists of emails cut off longer subjects.
MAX_SUBJECT = 140
#: The longest name of a partnership in the subject of a summary, in characters.
_MAX_PARTNERSHIP = 60


@dataclass(frozen=True, slots=True)
class Wording:
    """The subject, heading and first sentence of a digest."""

    subject: str
    heading: str
    lead: str


#: Why a person gets a summary, after "You are receiving this email because".
SUMMARY_BECAUSE = "you take part in the work listed here, and get one summary instead of an email for each step"
#: How often summaries are sent.
SUMMARY_OFTEN = "You get a summary on the days and at the hours that you chose, if you have new unread notices."


def summary_wording(lines: Sequence[NoticeLine], *, now: dt.datetime, zone: str) -> Wording:
    """Return the subject, heading and first sentence of a summary: a digest that contains only notices.

    The subject is the subject of the most urgent notice, or of the oldest if several are equally urgent: "C-12 needs
    your confirmation: 60 homes (Westmarch homes partnership) and 2 more". If there is only one notice, its subject is
    unchanged.
    """
    count = len(lines)
    heading = f"{counted(count, 'update')} {_since(min(line.at for line in lines), now, zone)}"
    subject = lines[0].subject if count == 1 else _subject_of_most_urgent(lines)
    replaced = "" if count == 1 else f" This summary replaces {count:,} emails."
    lead = f"Here is what your partners did.{replaced} We have already sent you anything urgent."
    return Wording(shorten(subject, MAX_SUBJECT), heading, lead)


def _subject_of_most_urgent(lines: Sequence[NoticeLine]) -> str:
    """Return the subject of the most urgent notice, its partnership, and the number of other notices."""
    most_urgent = min(lines, key=lambda line: (line.urgency, line.at))
    needs_partnership = (
        most_urgent.partnership and most_urgent.partnership.casefold() not in most_urgent.subject.casefold()
    )
    partnership = f" ({shorten(most_urgent.partnership, _MAX_PARTNERSHIP)})" if needs_partnership else ""
    ending = f"{partnership} and {len(lines) - 1:,} more"
    return f"{shorten(most_urgent.subject, MAX_SUBJECT - len(ending))}{ending}"


def _since(first: dt.datetime, now: dt.datetime, zone: str) -> str:
    """Return `today`, `since yesterday` or `since 26 November 2026`, in the reader's time zone."""
    first_day, today = local_day(first, zone), local_day(now, zone)
    if first_day >= today:
        return "today"
    if (today - first_day).days == 1:
        return "since yesterday"
    return f"since {long_date(first_day)}"


def wording_of(news: Sequence[News | Section], match_count: int, notice_count: int = 0) -> Wording:
    """Return the subject, heading and first sentence of a digest that contains this news.

    A subject is for example "3 changes in Harbour Quarter, 2 new matches and 1 notice". With several plans, their
    titles follow. With one other record, the subject is for example "Westmarch homes partnership: terms amended and 3
    more changes".
    """
    sections = [block for block in news if isinstance(block, Section)]
    if sections:
        return _wording_of_subjects(sections, news, match_count, notice_count)
    plans = [block for block in news if isinstance(block, News)]
    counts_in_words = listed([*_plan_counts(plans), *_match_and_notice_counts(match_count, notice_count)])
    heading = " ".join(counts_in_words.split())  # a title may contain line breaks
    titles = ", ".join(plan.title for plan in plans) if len(plans) > 1 else ""
    subject = render_subject("digests/digest", {"heading": heading, "titles": titles})
    return Wording(
        shorten(subject, MAX_SUBJECT), heading, _one_line("_lead", {"plans": len(plans), "match_count": match_count})
    )


def _plan_counts(plans: Sequence[News]) -> list[str]:
    """Return the numbers of changes and new plans, such as `3 changes in Harbour Quarter` and `2 new plans`."""
    changed_plans = [plan for plan in plans if not plan.is_new]
    new_plans = [plan for plan in plans if plan.is_new]
    change_count = sum(plan.count for plan in changed_plans)

    counts = []
    if change_count:
        where = changed_plans[0].title if len(changed_plans) == 1 else f"{len(changed_plans)} plans"
        counts.append(f"{counted(change_count, 'change')} in {where}")
    if len(new_plans) == 1 and not change_count:
        counts.append(f"New plan: {new_plans[0].title}")
    elif new_plans:
        counts.append(counted(len(new_plans), "new plan"))
    return counts


def _match_and_notice_counts(match_count: int, notice_count: int) -> list[str]:
    """Return the numbers of new matches and notices that are not 0, such as `2 new matches` and `1 notice`."""
    counts = []
    if match_count:
        counts.append(f"{match_count} new match{'' if match_count == 1 else 'es'}")
    if notice_count:
        counts.append(counted(notice_count, "notice"))
    return counts


def _wording_of_subjects(
    sections: Sequence[Section], news: Sequence[News | Section], match_count: int, notice_count: int
) -> Wording:
    """Return the subject, heading and first sentence of a digest with changes of subjects other than plans."""
    lead = "Here is what has changed since your last digest."
    if len(news) == 1:
        heading = subject = f"{sections[0].called}: {sections[0].headline}"
    else:
        count = sum(section.count for section in news)
        titles = ", ".join(section.called if isinstance(section, Section) else section.title for section in news)
        heading = f"{count:,} changes in what you follow"
        subject = f"{heading}: {titles}"

    more_counts = listed(_match_and_notice_counts(match_count, notice_count))
    if more_counts:
        heading, subject = f"{heading}, with {more_counts}", f"{subject}, with {more_counts}"
    return Wording(shorten(subject, MAX_SUBJECT), heading, lead)


def _one_line(template: str, context: dict[str, Any]) -> str:
    """Render a template of this room on one line, without repeated spaces."""
    return " ".join(render_to_string(f"emails/digests/{template}.txt", context).split())


def privacy_notice(subscription: Subscription | None) -> str:
    """Return who gave us the address, when and why (UK GDPR Article 14); "" for people who gave it themselves.

    The text ends with a web address.
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
    """Render the privacy notice. Cached, because a partner often adds many people on one day."""
    context = {
        "giver": giver,
        "organisation": organisation,
        "is_replacement": is_replacement,
        "given_on": long_date(given_on),
        "site_name": settings.SITE_NAME,
        "link": f"{settings.SITE_ORIGIN}{reverse('people:privacy')}",
    }
    return _one_line("_privacy_notice", context)
