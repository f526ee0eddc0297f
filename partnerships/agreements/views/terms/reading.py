"""The pages that show the terms in force, one version, and the differences between two versions."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.agreements.forms.terms import TermsDayForm
from partnerships.agreements.models import Partnership, TermsProposal, TermsVersion
from partnerships.agreements.queries.sharing import data_sharing_state
from partnerships.agreements.queries.signers import has_declined_to_join, may_sign_for
from partnerships.agreements.queries.terms import (
    TermsState,
    awaiting_joiners,
    first_days_in_force,
    fit_to_schema,
    in_force_entries,
    in_force_lookup,
    newest_awaiting,
    versions_awaiting_signature,
    versions_to_join,
    widened_declarations,
)
from partnerships.agreements.terms.in_force import entry_in_force_on
from partnerships.agreements.terms.schema import build_schema
from partnerships.agreements.views.terms.fetching import (
    TermsAccess,
    open_terms,
    open_version,
    paper_of_version,
    signing_context,
)
from partnerships.documents.comparisons import Comparison, compare
from partnerships.kit.http import keyset_page_of
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@require_safe
def terms(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the version in force on a day, the open proposals and all versions."""
    user = signed_in(request)
    access = open_terms(user, pk, lookups=_terms_lookups(user, pk))
    today = timezone.localdate()
    form = TermsDayForm(request.GET if "on" in request.GET else None, today=today)
    day = form.day
    if access.until is not None:
        day = min(day, timezone.localdate(access.until))
    version_by_pk = {version.pk: version for version in rows_for(_versions_without_content, user, pk)}
    newest_first = sorted(version_by_pk.values(), key=lambda version: version.number, reverse=True)

    in_force = _in_force_context(access, version_by_pk, day)
    is_open = not access.is_former and not access.partnership.is_over
    context = {
        "partnership": access.partnership,
        "access": access,
        "is_open": is_open,
        "may_propose": is_open and in_force["version"] is not None and bool(access.rights.proposes_for),
        "form": form,
        "on": day,
        "is_today": day == today,
        "sharing": None if access.is_former else data_sharing_state(access.partnership, today),
        **in_force,
        "proposals": _readable_open_proposals(access),
        **_awaiting_context(user, access, in_force),
        "page": keyset_page_of(request, newest_first, key=lambda version: (str(version.number),)),
        "has_several": len(version_by_pk) > 1,
    }
    return render(request, "agreements/terms/terms.html", context)


def _terms_lookups(user: User, partnership_id: int) -> list[Lookup]:
    """Return the queries of the page, so that `open_terms` can run them together."""
    return [
        lookup(_versions_without_content, user, partnership_id),
        in_force_lookup(partnership_id),
        lookup(_open_proposals, partnership_id),
        lookup(newest_awaiting, partnership_id),
        lookup(awaiting_joiners, partnership_id),
    ]


def _versions_without_content(user: User, partnership_id: int) -> QuerySet[TermsVersion]:
    """Return the versions of a partnership that the person may read, without their content."""
    return TermsVersion.objects.visible_to(user).filter(partnership=partnership_id).without_content()


def _in_force_context(access: TermsAccess, version_by_pk: dict[int, TermsVersion], day: dt.date) -> dict[str, Any]:
    """Return the template context about the version in force on a day, and the versions that follow later."""
    partnership = access.partnership
    upcoming = [
        (start, version_by_pk[version_id])
        for start, version_id in first_days_in_force(partnership, access.until)
        if start > day and version_id in version_by_pk
    ]
    entries = [entry for entry in in_force_entries(partnership, access.until) if entry.version_id in version_by_pk]
    entry = entry_in_force_on(entries, day)
    if entry is None:
        return {"version": None, "since": None, "paper": None, "is_last": False, "upcoming": upcoming}

    # Fetch the version again, because `version_by_pk` leaves out the content.
    version = TermsVersion.objects.select_related("proposal").get(pk=entry.version_id)
    version.partnership = partnership
    return {
        "version": version,
        "since": entry.day,
        "paper": paper_of_version(version),
        "is_last": _is_after_end(partnership, day),
        "upcoming": upcoming,
        **signing_context(version, access.until),
    }


def _awaiting_context(user: User, access: TermsAccess, in_force: dict[str, Any]) -> dict[str, Any]:
    """Return the template context about versions that await signatures, and what the person can still sign.

    `in_force` is the context from `_in_force_context`.
    """
    if access.is_former or access.partnership.is_over:
        return {"awaiting": [], "to_sign": [], "declined": []}
    versions_awaiting = versions_awaiting_signature(access.partnership)
    versions_for_joiners = versions_to_join(access.partnership)
    return {
        "awaiting": versions_awaiting,
        "to_sign": _to_sign(user, [*versions_awaiting, *versions_for_joiners]),
        "declined": _parties_that_declined(user, in_force["version"], versions_for_joiners, in_force.get("states", [])),
    }


def _is_after_end(partnership: Partnership, day: dt.date) -> bool:
    """Return whether the partnership had ended by this day, so that its terms no longer apply."""
    if not partnership.is_over:
        return False
    return day >= timezone.localdate() or partnership.ends_on is None or day > partnership.ends_on


def _readable_open_proposals(access: TermsAccess) -> list[Any]:
    """Return the open proposals, or none if the reader may not read drafts."""
    if not access.reads_drafts or access.partnership.is_over:
        return []
    return rows_for(_open_proposals, access.partnership.pk)


def _open_proposals(partnership_id: int) -> QuerySet[TermsProposal]:
    """Return the open proposals of a partnership, without their content."""
    proposals = TermsProposal.objects.in_progress().filter(partnership=partnership_id).order_by("number")
    return proposals.select_related("proposed_by").defer("content", "prose", "pieces")


def _to_sign(user: User, awaiting: list[TermsVersion]) -> list[tuple[TermsVersion, list[Any]]]:
    """Return the versions that the reader can sign now, each with the parties for which they can sign it."""
    parties_by_version = may_sign_for(user, awaiting, timezone.localdate())
    return [(version, parties_by_version[version.pk]) for version in awaiting if parties_by_version[version.pk]]


def _parties_that_declined(
    user: User, version: TermsVersion | None, versions_for_joiners: list[TermsVersion], states: list[TermsState]
) -> list[Any]:
    """Return the parties that declined to join the version in force, and for which the reader can still sign it."""
    if version is None or version in versions_for_joiners:
        return []
    if not any(has_declined_to_join(state) for state in states):
        return []
    return may_sign_for(user, [version], timezone.localdate())[version.pk]


@require_safe
def version_detail(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show one version with its signatures, its changes and the buttons that the reader may use."""
    user = signed_in(request)
    access, terms_version = open_version(user, pk, number)
    rights, proposal = access.rights, terms_version.proposal
    starts = first_days_in_force(access.partnership, access.until)
    start_days = [day for day, version_id in starts if version_id == terms_version.pk]

    signing = signing_context(terms_version, access.until)
    is_awaited = not access.is_former and _is_awaited(terms_version)
    is_joined = not access.partnership.is_over and any(_can_join(state) for state in signing["states"])
    can_be_signed = is_awaited or is_joined
    own_parties = may_sign_for(user, [terms_version], timezone.localdate())[terms_version.pk] if can_be_signed else []
    may_have_stopped = not is_awaited and not start_days and not access.is_former

    context = {
        "partnership": access.partnership,
        "access": access,
        "version": terms_version,
        "paper": paper_of_version(terms_version),
        "compared": compared_with_base(user, terms_version),
        "start_days": start_days,
        # Signing: who has signed, and what the reader can do.
        **signing,
        "is_awaited": is_awaited,
        "is_asked": can_be_signed,
        "own_parties": own_parties,
        "paper_party_ids": {party_id for party_id in rights.signing if rights.may_record_paper_for(party_id)},
        "can_take_back": is_awaited and proposal is not None and rights.may_send_for_signature(proposal),
        "why_stopped": _why_stopped(terms_version) if may_have_stopped else "",
    }
    return render(request, "agreements/terms/version.html", context)


def _can_join(state: TermsState) -> bool:
    """Return whether a party that joined later may still sign the version."""
    return state.signatory.joins and (state.must_decide or has_declined_to_join(state))


def _is_awaited(version: TermsVersion) -> bool:
    """Return whether the version is awaiting signatures."""
    proposal = version.proposal
    if proposal is None or not proposal.is_awaiting_signatures or version.partnership.is_over:
        return False
    return _is_newest(version)


def _why_stopped(version: TermsVersion) -> str:
    """Return why a version can no longer be signed, or "" if its proposal was neither sent again nor taken back."""
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
    """Compare two versions by the fields of the later version, and by fields that only the earlier version has."""
    schema = build_schema(widened_declarations(later.declarations, earlier))
    return compare(schema, fit_to_schema(schema, earlier.content), fit_to_schema(schema, later.content))


@require_safe
def compare_terms(request: HttpRequest, pk: int) -> HttpResponse:
    """Compare two versions word by word. By default, these are the newest version and the one before."""
    user = signed_in(request)
    access = open_terms(user, pk)
    versions = list(TermsVersion.objects.visible_to(user).filter(partnership=pk).without_content().order_by("-number"))
    if not versions:
        raise Http404
    version_by_number = {str(version.number): version for version in versions}
    later = version_by_number.get(request.GET.get("to", ""), versions[0])
    previous = next((version for version in versions if version.number < later.number), later)
    earlier = version_by_number.get(request.GET.get("from", ""), previous)

    # Fetch both versions again, because the list above leaves out the content.
    earlier_with_content = TermsVersion.objects.get(pk=earlier.pk)
    later_with_content = TermsVersion.objects.get(pk=later.pk)
    context = {
        "partnership": access.partnership,
        "access": access,
        "versions": versions,
        "earlier": earlier,
        "later": later,
        "compared": compare_versions(earlier_with_content, later_with_content),
    }
    return render(request, "agreements/terms/compare.html", context)
