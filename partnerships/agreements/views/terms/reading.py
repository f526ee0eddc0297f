"""Read the terms in force, a version, and how two differ."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.agreements.forms.terms import TermsOnForm
from partnerships.agreements.models import Partnership, TermsVersion
from partnerships.agreements.queries.sharing import data_sharing_of
from partnerships.agreements.queries.terms import (
    TermsState,
    as_schema,
    entries_of,
    has_declined_to_join,
    in_force_from,
    may_sign_for,
    version_awaiting,
    versions_to_join,
    widened,
)
from partnerships.agreements.terms.in_force import in_force_on
from partnerships.agreements.terms.schema import build_schema
from partnerships.agreements.views.terms.fetching import (
    OpenedTerms,
    open_terms,
    open_version,
    paper_of_version,
    signing_context,
)
from partnerships.documents.comparisons import Comparison, compare
from partnerships.kit.http import keyset_page_of
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@require_safe
def terms(request: HttpRequest, pk: int) -> HttpResponse:
    """The tab "Terms": what is in force on a day, proposals and versions."""
    user = signed_in(request)
    opened = open_terms(user, pk)
    partnership = opened.partnership
    form = TermsOnForm(request.GET if "on" in request.GET else None, today=timezone.localdate())
    day = form.day
    if opened.until is not None:
        day = min(day, timezone.localdate(opened.until))
    visible = {
        terms_version.pk: terms_version
        for terms_version in TermsVersion.objects.visible_to(user).filter(partnership=pk).without_content()
    }
    starts = in_force_from(partnership, opened.until)
    entries = [entry for entry in entries_of(partnership, opened.until) if entry.version in visible]
    current_entry = in_force_on(entries, day)
    version = TermsVersion.objects.get(pk=current_entry.version) if current_entry else None
    if version is not None:
        version.partnership = partnership
    asks = not opened.is_former and not partnership.is_over
    awaiting = version_awaiting(partnership) if asks else []
    joined = versions_to_join(partnership) if asks else []
    signing = signing_context(version, opened.until) if version else {}
    return render(
        request,
        "agreements/terms/terms.html",
        {
            "partnership": partnership,
            "opened": opened,
            "form": form,
            "on": day,
            "is_today": day == timezone.localdate(),
            "is_last": version is not None and _is_after_end(partnership, day),
            "version": version,
            "since": current_entry.day if current_entry else None,
            "paper": paper_of_version(version) if version else None,
            **signing,
            "upcoming": [(start, visible[pk]) for start, pk in starts if start > day and pk in visible],
            "proposals": _proposals(opened),
            "awaiting": awaiting,
            "to_sign": _to_sign(user, [*awaiting, *joined]),
            "declined": _declined(user, version, joined, signing.get("states", [])),
            "page": keyset_page_of(
                request,
                sorted(visible.values(), key=lambda visible_version: -visible_version.number),
                key=lambda http_request: (str(http_request.number),),
            ),
            "has_several": len(visible) > 1,
            "sharing": None if opened.is_former else data_sharing_of(partnership, timezone.localdate()),
        },
    )


def _is_after_end(partnership: Partnership, day: dt.date) -> bool:
    """Whether the partnership is over on this day, so that its terms are in force no more."""
    if not partnership.is_over:
        return False
    return day >= timezone.localdate() or partnership.ends_on is None or day > partnership.ends_on


def _proposals(opened: OpenedTerms) -> list[Any]:
    """Proposals that may still come into force, for those who read drafts."""
    if not opened.reads_drafts or opened.partnership.is_over:
        return []
    rows = opened.partnership.terms_proposals.open().select_related("proposed_by").defer("content", "prose", "pieces")
    return list(rows.order_by("number"))


def _to_sign(user: User, awaiting: list[TermsVersion]) -> list[tuple[TermsVersion, list[Any]]]:
    """The versions that the reader can sign now, with the parties."""
    signable = may_sign_for(user, awaiting, timezone.localdate())
    return [(version, signable[version.pk]) for version in awaiting if signable[version.pk]]


def _declined(
    user: User, version: TermsVersion | None, joined: list[TermsVersion], states: list[TermsState]
) -> list[Any]:
    """The parties that declined the version in force when they joined, and for which the reader can sign it now."""
    if version is None or version in joined or version.partnership.is_over:
        return []
    if not any(has_declined_to_join(state) for state in states):
        return []
    return may_sign_for(user, [version], timezone.localdate())[version.pk]


@require_safe
def version(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One version, with who has signed it and what it changes."""
    user = signed_in(request)
    opened, opened_version = open_version(user, pk, number)
    starts = [start for start, key in in_force_from(opened.partnership, opened.until) if key == opened_version.pk]
    awaited = not opened.is_former and _is_awaited(opened_version)
    signing = signing_context(opened_version, opened.until)
    joining = not opened.partnership.is_over and any(
        state.signatory.joins and (state.must_decide or has_declined_to_join(state)) for state in signing["states"]
    )
    may_sign_as = (
        may_sign_for(user, [opened_version], timezone.localdate())[opened_version.pk] if awaited or joining else []
    )
    return render(
        request,
        "agreements/terms/version.html",
        {
            "partnership": opened.partnership,
            "opened": opened,
            "version": opened_version,
            "paper": paper_of_version(opened_version),
            "compared": compared_with_base(user, opened_version),
            "starts": starts,
            "mine": may_sign_as,
            "is_awaited": awaited,
            "stopped": "" if awaited or starts or opened.is_former else _why_stopped(opened_version),
            "takes_back": awaited
            and opened_version.proposal is not None
            and opened.rights.may_send_for_signature(opened_version.proposal),
            "is_asked": awaited or joining,
            "papers": {pk for pk in opened.rights.signing if opened.rights.may_record_paper_for(pk)},
            **signing,
        },
    )


def _is_awaited(version: TermsVersion) -> bool:
    proposal = version.proposal
    if proposal is None or not proposal.is_awaiting or version.partnership.is_over:
        return False
    return _is_newest(version)


def _why_stopped(version: TermsVersion) -> str:
    """Why a version can no longer be signed, if its proposal can still come into force or did as another version."""
    if not _is_newest(version):
        return "Sent again as a later version"
    return "Taken back to draft" if version.proposal is not None and version.proposal.is_drafting else ""


def _is_newest(version: TermsVersion) -> bool:
    """Whether its proposal was not sent again as a later version."""
    return version.proposal is None or not version.proposal.versions.filter(number__gt=version.number).exists()


def compared_with_base(user: User, version: TermsVersion) -> Comparison | None:
    """What a version changes in the one it is based on, if the reader sees that."""
    base = version.base
    if base is None or not TermsVersion.objects.visible_to(user).filter(pk=base.pk).exists():
        return None
    return compare_versions(base, version)


def compare_versions(was: TermsVersion, now: TermsVersion) -> Comparison:
    """Two versions compared, in the fields of the later one and those that the earlier one used."""
    schema = build_schema(widened(now.declarations, was))
    return compare(schema, as_schema(schema, was.content), as_schema(schema, now.content))


@require_safe
def compare_terms(request: HttpRequest, pk: int) -> HttpResponse:
    """Two versions, word by word; by default the newest and the one before."""
    user = signed_in(request)
    opened = open_terms(user, pk)
    versions = list(TermsVersion.objects.visible_to(user).filter(partnership=pk).without_content().order_by("-number"))
    if not versions:
        raise Http404
    numbers = {str(compared.number): compared for compared in versions}
    now = numbers.get(request.GET.get("to", ""), versions[0])
    earlier = [compared for compared in versions if compared.number < now.number]
    was = numbers.get(request.GET.get("from", ""), earlier[0] if earlier else now)
    return render(
        request,
        "agreements/terms/compare.html",
        {
            "partnership": opened.partnership,
            "opened": opened,
            "versions": versions,
            "was": was,
            "now": now,
            "compared": compare_versions(TermsVersion.objects.get(pk=was.pk), TermsVersion.objects.get(pk=now.pk)),
        },
    )
