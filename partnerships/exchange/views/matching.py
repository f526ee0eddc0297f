"""Pages that show matches, dismiss them and introduce their organisations."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.exchange import services
from partnerships.exchange.forms.matching import DismissForm, IntroduceForm
from partnerships.exchange.models import Entry, Introduction, Match
from partnerships.exchange.queries.addressing import ids_answerable_by
from partnerships.exchange.queries.candidates import best_for_reader
from partnerships.exchange.queries.listings import name_as_at
from partnerships.exchange.queries.matches import dismissed_counterparts, fit_in_words, matches_for, partners_of
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in


@dataclass(frozen=True, slots=True)
class Pair:
    """A matching ask and offer, and what the reader may do about them."""

    entry: Entry
    counterpart: Entry
    fit: str
    reasons: Collection[str]
    may_answer: bool = False
    may_dismiss: bool = False
    may_introduce: bool = False
    #: The stored match from which the reader may make a commitment; None if they may not make one.
    match_id: int | None = None

    @property
    def ask(self) -> Entry:
        """Return the entry of the pair that asks."""
        return self.entry if self.entry.is_ask else self.counterpart

    @property
    def offer(self) -> Entry:
        """Return the entry of the pair that offers."""
        return self.counterpart if self.entry.is_ask else self.entry


def _with_actions(user: User, pairs: Collection[Pair]) -> list[Pair]:
    """Add to each pair the actions that the person may take, with a few queries for all pairs."""
    entries = [entry for pair in pairs for entry in (pair.entry, pair.counterpart)]
    name_as_at(entries)
    roles = roles_of(user, timezone.now())
    edited_ids = roles.edited_among(roles.by_organisation)
    if not edited_ids:
        return list(pairs)

    entry_ids, editor_ids = sorted({entry.pk for entry in entries}), sorted(edited_ids)
    read_ahead([lookup(_stored_matches, entry_ids), lookup(_introduced_pairs, editor_ids, entry_ids)])
    partner_pairs = partners_of(roles.by_organisation)
    answerable_ids = ids_answerable_by({pair.counterpart.pk for pair in pairs}, user)
    match_id_by_pair = {(ask, offer): pk for ask, offer, pk in rows_for(_stored_matches, entry_ids)}
    introduced_pairs = set(rows_for(_introduced_pairs, editor_ids, entry_ids))

    pairs_with_actions = []
    for pair in pairs:
        ask_and_offer = (pair.ask.pk, pair.offer.pk)
        organisations = (pair.entry.organisation_id, pair.counterpart.organisation_id)
        is_own = not edited_ids.isdisjoint(organisations)
        pairs_with_actions.append(
            replace(
                pair,
                may_answer=pair.entry.organisation_id in edited_ids and pair.counterpart.pk in answerable_ids,
                may_dismiss=is_own,
                # Partners who already work together need no introduction.
                may_introduce=ask_and_offer not in introduced_pairs and organisations not in partner_pairs,
                match_id=match_id_by_pair.get(ask_and_offer) if is_own else None,
            )
        )
    return pairs_with_actions


def _stored_matches(entry_ids: list[int]) -> QuerySet[Match, tuple[int, int, int]]:
    """Return the ids of ask, offer and match for each live match between these entries."""
    return Match.objects.filter(ask__in=entry_ids, offer__in=entry_ids).live().values_list("ask", "offer", "pk")


def _introduced_pairs(organisation_ids: list[int], entry_ids: list[int]) -> QuerySet[Introduction, tuple[int, int]]:
    """Return the ids of ask and offer for each introduction between these entries by one of these organisations."""
    introductions = Introduction.objects.filter(ask__in=entry_ids, offer__in=entry_ids)
    return introductions.filter(organisation__in=organisation_ids).values_list("ask", "offer")


@require_safe
def matches(request: HttpRequest) -> HttpResponse:
    """Show the stored matches of all asks and offers of the person's organisations."""
    user = signed_in(request)
    pairs = [
        Pair(entry=match.entry, counterpart=match.counterpart, fit=match.fit, reasons=match.reasons)
        for match in matches_for(user)
    ]
    may_write = Organisation.objects.of_person(user, *EDITING_ROLES).exists()
    return render(request, "exchange/matches.html", {"pairs": _with_actions(user, pairs), "may_write": may_write})


@require_safe
def entry_matches(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the best matches of one entry with their reasons.

    They are searched on each request, with the reader's own rights, because stored matches include only pairs that the
    two organisations can see.
    """
    user = signed_in(request)
    entry = get_object_or_404(Entry.objects.visible_to(user).select_related("organisation"), pk=pk)
    best_matches = best_for_reader(entry, user, timezone.localdate()) if entry.is_open else []
    counterpart_by_pk = Entry.objects.for_listing().in_bulk([match.entry_id for match in best_matches])
    pairs = [
        Pair(
            entry=entry,
            counterpart=counterpart_by_pk[match.entry_id],
            fit=fit_in_words(match.score.points),
            reasons=match.score.reasons,
        )
        for match in best_matches
        # An entry can have been deleted since it was matched.
        if match.entry_id in counterpart_by_pk
    ]
    context = {"entry": entry, "pairs": _with_actions(user, pairs), "dismissed": dismissed_counterparts(entry, user)}
    return render(request, "exchange/entry_matches.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def dismiss_pair(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """Dismiss a match for the person's organisation, with a reason."""
    user = signed_in(request)
    entry, counterpart = _pair_or_404(user, pk, other)
    edited_ids = roles_of(user, timezone.now()).edited_among([entry.organisation_id, counterpart.organisation_id])
    require(bool(edited_ids))
    form = DismissForm(post_data(request), entry=entry, organisations=Organisation.objects.filter(pk__in=edited_ids))

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToChangeEntry):
            with collect_recipients() as recipients:
                services.dismiss_match(
                    entry=entry, counterpart=counterpart, author=user, now=timezone.now(), **form.cleaned_data
                )
            messages.success(request, f"“{counterpart.title}” is no longer shown as a match.{recipients.sentence()}")
            return redirect("exchange:entry-matches", entry.pk)

    return form_page(request, "exchange/act.html", form, entry=entry, title="Dismiss match", quoted=counterpart.title)


@require_http_methods(["GET", "HEAD", "POST"])
def introduce_pair(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """Suggest that two organisations talk, and email both."""
    user = signed_in(request)
    entry, counterpart = _pair_or_404(user, pk, other)
    if entry.direction == counterpart.direction or entry.organisation_id == counterpart.organisation_id:
        raise Http404
    roles = roles_of(user, timezone.now())
    require(roles.edits_somewhere)
    own_organisations = Organisation.objects.filter(pk__in=roles.edited_among(roles.by_organisation))
    form = IntroduceForm(post_data(request), entry=entry, organisations=own_organisations.order_by("name", "pk"))
    names = f"{entry.organisation.display_name} and {counterpart.organisation.display_name}"

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToChangeEntry):
            with collect_recipients() as recipients:
                services.introduce(
                    entry=entry, counterpart=counterpart, author=user, now=timezone.now(), **form.cleaned_data
                )
            messages.success(request, f"You have suggested that {names} talk.{recipients.sentence()}")
            return redirect(entry)

    quoted = f"{counterpart.get_direction_display()} from {counterpart.organisation.display_name}: {counterpart.title}"
    return form_page(request, "exchange/act.html", form, entry=entry, title=f"Introduce {names}", quoted=quoted)


def _pair_or_404(user: User, entry_pk: int, counterpart_pk: int) -> tuple[Entry, Entry]:
    """Return two entries that the person may see. Raises Http404 unless they can see both."""
    visible = Entry.objects.visible_to(user).select_related("organisation")
    return get_object_or_404(visible, pk=entry_pk), get_object_or_404(visible, pk=counterpart_pk)
