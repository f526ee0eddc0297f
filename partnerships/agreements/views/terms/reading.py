"""Read the terms in force, one version, or the differences between two versions."""

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
    entries_of,
    fitted_to_schema,
    has_declined_to_join,
    in_force_from,
    may_sign_for,
    versions_awaiting_signature,
    versions_to_join,
    widened_declarations,
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
    """Show the tab "Terms": the version in force on a day, open proposals, and all versions."""
    user = signed_in(request)
    opened = open_terms(user, pk)
    partnership = opened.partnership
    form = TermsOnForm(request.GET if "on" in request.GET else None, today=timezone.localdate())
    day = form.day
    if opened.until is not None:
        day = min(day, timezone.localdate(opened.until))
    visible_versions = TermsVersion.objects.visible_to(user).filter(partnership=pk).without_content()
    version_by_pk = {row.pk: row for row in visible_versions}
    starts = in_force_from(partnership, opened.until)
    entries = [entry for entry in entries_of(partnership, opened.until) if entry.version in version_by_pk]
    current_entry = in_force_on(entries, day)
    version = TermsVersion.objects.get(pk=current_entry.version) if current_entry else None
    if version is not None:
        version.partnership = partnership
    can_be_signed = not opened.is_former and not partnership.is_over
    versions_awaiting = versions_awaiting_signature(partnership) if can_be_signed else []
    versions_for_joiners = versions_to_join(partnership) if can_be_signed else []
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
            "upcoming": [
                (start, version_by_pk[version_id])
                for start, version_id in starts
                if start > day and version_id in version_by_pk
            ],
            "proposals": _readable_open_proposals(opened),
            "awaiting": versions_awaiting,
            "to_sign": _to_sign(user, [*versions_awaiting, *versions_for_joiners]),
            "declined": _parties_that_declined(user, version, versions_for_joiners, signing.get("states", [])),
            "page": keyset_page_of(
                request,
                sorted(version_by_pk.values(), key=lambda row: row.number, reverse=True),
                key=lambda row: (str(row.number),),
            ),
            "has_several": len(version_by_pk) > 1,
            "sharing": None if opened.is_former else data_sharing_of(partnership, timezone.localdate()),
        },
    )


def _is_after_end(partnership: Partnership, day: dt.date) -> bool:
    """Return whether the partnership had ended by this day, so that its terms no longer apply."""
    if not partnership.is_over:
        return False
    return day >= timezone.localdate() or partnership.ends_on is None or day > partnership.ends_on


def _readable_open_proposals(opened: OpenedTerms) -> list[Any]:
    """Return the open proposals, or none if the reader may not read drafts."""
    if not opened.reads_drafts or opened.partnership.is_over:
        return []
    rows = opened.partnership.terms_proposals.open().select_related("proposed_by").defer("content", "prose", "pieces")
    return list(rows.order_by("number"))


def _to_sign(user: User, awaiting: list[TermsVersion]) -> list[tuple[TermsVersion, list[Any]]]:
    """Return the versions that the reader can sign now, each with the parties for which they can sign it."""
    parties_by_version = may_sign_for(user, awaiting, timezone.localdate())
    return [(version, parties_by_version[version.pk]) for version in awaiting if parties_by_version[version.pk]]


def _parties_that_declined(
    user: User, version: TermsVersion | None, joined: list[TermsVersion], states: list[TermsState]
) -> list[Any]:
    """Return the parties that joined later and declined the version in force, where the reader can still sign it."""
    if version is None or version in joined or version.partnership.is_over:
        return []
    if not any(has_declined_to_join(state) for state in states):
        return []
    return may_sign_for(user, [version], timezone.localdate())[version.pk]


@require_safe
def version_detail(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show one version, with its signatures and its changes, and what the reader can do with the version."""
    user = signed_in(request)
    opened, terms_version = open_version(user, pk, number)
    rights, proposal = opened.rights, terms_version.proposal
    start_days = [
        day for day, version_id in in_force_from(opened.partnership, opened.until) if version_id == terms_version.pk
    ]
    signing = signing_context(terms_version, opened.until)
    is_awaited = not opened.is_former and _is_awaited(terms_version)
    is_joined = not opened.partnership.is_over and any(_can_join(state) for state in signing["states"])
    can_be_signed = is_awaited or is_joined
    own_parties = may_sign_for(user, [terms_version], timezone.localdate())[terms_version.pk] if can_be_signed else []
    has_no_reason = is_awaited or start_days or opened.is_former
    return render(
        request,
        "agreements/terms/version.html",
        {
            "partnership": opened.partnership,
            "opened": opened,
            "version": terms_version,
            "paper": paper_of_version(terms_version),
            "compared": compared_with_base(user, terms_version),
            "starts": start_days,
            "mine": own_parties,
            "is_awaited": is_awaited,
            "stopped": "" if has_no_reason else _why_stopped(terms_version),
            "takes_back": is_awaited and proposal is not None and rights.may_send_for_signature(proposal),
            "is_asked": can_be_signed,
            "papers": {organisation for organisation in rights.signing if rights.may_record_paper_for(organisation)},
            **signing,
        },
    )


def _can_join(state: TermsState) -> bool:
    """Return whether a party that joined later may still sign the version."""
    return state.signatory.joins and (state.must_decide or has_declined_to_join(state))


def _is_awaited(version: TermsVersion) -> bool:
    """Return whether the version is awaiting signatures."""
    proposal = version.proposal
    if proposal is None or not proposal.is_awaiting or version.partnership.is_over:
        return False
    return _is_newest(version)


def _why_stopped(version: TermsVersion) -> str:
    """Return why a version can no longer be signed, or "".

    The reason is that its proposal was sent again or returned to draft.
    """
    if not _is_newest(version):
        return "Sent again as a later version"
    if version.proposal is not None and version.proposal.is_drafting:
        return "Returned to draft"
    return ""


def _is_newest(version: TermsVersion) -> bool:
    """Return whether the proposal was not sent again as a later version."""
    return version.proposal is None or not version.proposal.versions.filter(number__gt=version.number).exists()


def compared_with_base(user: User, version: TermsVersion) -> Comparison | None:
    """Compare a version with the version on which it is based. Returns None if the reader may not see the base."""
    base = version.base
    if base is None or not TermsVersion.objects.visible_to(user).filter(pk=base.pk).exists():
        return None
    return compare_versions(base, version)


def compare_versions(earlier: TermsVersion, later: TermsVersion) -> Comparison:
    """Compare two versions, in the fields of the later version and any other fields that the earlier version used."""
    schema = build_schema(widened_declarations(later.declarations, earlier))
    return compare(schema, fitted_to_schema(schema, earlier.content), fitted_to_schema(schema, later.content))


@require_safe
def compare_terms(request: HttpRequest, pk: int) -> HttpResponse:
    """Compare two versions word by word: by default the newest version with the one before."""
    user = signed_in(request)
    opened = open_terms(user, pk)
    versions = list(TermsVersion.objects.visible_to(user).filter(partnership=pk).without_content().order_by("-number"))
    if not versions:
        raise Http404
    version_by_number = {str(row.number): row for row in versions}
    later = version_by_number.get(request.GET.get("to", ""), versions[0])
    previous = next((row for row in versions if row.number < later.number), later)
    earlier = version_by_number.get(request.GET.get("from", ""), previous)
    return render(
        request,
        "agreements/terms/compare.html",
        {
            "partnership": opened.partnership,
            "opened": opened,
            "versions": versions,
            "was": earlier,
            "now": later,
            # Fetch both versions again, because the list above leaves out the content.
            "compared": compare_versions(
                TermsVersion.objects.get(pk=earlier.pk), TermsVersion.objects.get(pk=later.pk)
            ),
        },
    )
