"""Pages for matches: seeing, dismissing and introducing them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.exchange import services
from partnerships.exchange.forms.matching import DismissForm, IntroduceForm
from partnerships.exchange.models import Entry, Introduction, Match
from partnerships.exchange.queries.addressing import answerable_among
from partnerships.exchange.queries.candidates import best_for_reader
from partnerships.exchange.queries.listings import name_as_at
from partnerships.exchange.queries.matches import dismissed, fit_in_words, matches_for, partners_of
from partnerships.exchange.views.steps import act
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
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
    #: The stored match to make a commitment from; None if the reader may not.
    match_id: int | None = None

    @property
    def ask(self) -> Entry:
        """The side that asks."""
        return self.entry if self.entry.is_ask else self.counterpart

    @property
    def offer(self) -> Entry:
        """The side that offers."""
        return self.counterpart if self.entry.is_ask else self.entry


_Found = tuple[Entry, Entry, str, Collection[str]]


def _pairs(user: User, matches: Collection[_Found]) -> list[Pair]:
    """The pairs with what the person may do about each, in six queries."""
    roles = roles_of(user, timezone.now())
    editing = roles.edited_among(roles.of)
    name_as_at([entry for match in matches for entry in match[:2]])
    if not editing:
        return [Pair(*match) for match in matches]
    partners = partners_of(roles.of)
    answerable = answerable_among({counterpart.pk for _, counterpart, _, _ in matches}, user)
    ids = {entry.pk for match in matches for entry in match[:2]}
    stored = _stored(ids)
    introduced = set(
        Introduction.objects.filter(organisation__in=editing, ask__in=ids, offer__in=ids).values_list("ask", "offer")
    )
    pairs = []
    for entry, counterpart, fit, reasons in matches:
        sides = (entry.pk, counterpart.pk) if entry.is_ask else (counterpart.pk, entry.pk)
        bodies = (entry.organisation_id, counterpart.organisation_id)
        own = not editing.isdisjoint(bodies)
        pairs.append(
            Pair(
                entry,
                counterpart,
                fit,
                reasons,
                may_answer=entry.organisation_id in editing and counterpart.pk in answerable,
                may_dismiss=own,
                # Partners who already work together need no introduction.
                may_introduce=sides not in introduced and bodies not in partners,
                match_id=stored.get(sides) if own else None,
            )
        )
    return pairs


def _stored(ids: Collection[int]) -> dict[tuple[int, int], int]:
    """Ids of stored matches between these entries, by ask and offer."""
    rows = Match.objects.filter(Q(ask__in=ids) & Q(offer__in=ids)).live().values_list("ask", "offer", "pk")
    return {(ask, offer): pk for ask, offer, pk in rows}


@require_safe
def matches(request: HttpRequest) -> HttpResponse:
    """Matches for everything the person's organisations ask and offer."""
    user = signed_in(request)
    pairs = [(match.entry, match.counterpart, match.fit, match.reasons) for match in matches_for(user)]
    may_write = Organisation.objects.of_person(user, *EDITING_ROLES).exists()
    return render(request, "exchange/matches.html", {"pairs": _pairs(user, pairs), "may_write": may_write})


@require_safe
def entry_matches(request: HttpRequest, pk: int) -> HttpResponse:
    """The best matches for one entry with their reasons, searched on request."""
    user = signed_in(request)
    entry = get_object_or_404(Entry.objects.visible_to(user).select_related("organisation"), pk=pk)
    candidates = best_for_reader(entry, user, timezone.localdate()) if entry.is_open else []
    entries = Entry.objects.for_listing().in_bulk([match.entry_id for match in candidates])
    fits = [
        (entry, entries[match.entry_id], fit_in_words(match.score.points), match.score.reasons)
        for match in candidates
        if match.entry_id in entries
    ]
    context = {"entry": entry, "pairs": _pairs(user, fits), "dismissed": dismissed(entry, user)}
    return render(request, "exchange/entry_matches.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def dismiss(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """Dismiss a match for the person's organisation, with a reason."""
    user = signed_in(request)
    entry, counterpart = _both(user, pk, other)
    edited = roles_of(user, timezone.now()).edited_among([entry.organisation_id, counterpart.organisation_id])
    require(bool(edited))
    sides = Organisation.objects.filter(pk__in=edited)
    form = DismissForm(posted(request), entry=entry, organisations=sides)

    def step() -> str:
        services.dismiss_match(
            entry=entry, counterpart=counterpart, author=user, now=timezone.now(), **form.cleaned_data
        )
        return f"“{counterpart.title}” is no longer shown as a match."

    to = reverse("exchange:entry-matches", args=[entry.pk])
    return act(request, form, step, entry=entry, title="Dismiss match", to=to, quoted=counterpart.title)


@require_http_methods(["GET", "HEAD", "POST"])
def introduce(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """Suggest that two organisations talk, and email both."""
    user = signed_in(request)
    entry, counterpart = _both(user, pk, other)
    if entry.direction == counterpart.direction or entry.organisation_id == counterpart.organisation_id:
        raise Http404
    roles = roles_of(user, timezone.now())
    require(roles.edits_somewhere)
    bodies = Organisation.objects.filter(pk__in=roles.edited_among(roles.of)).order_by("name", "pk")
    form = IntroduceForm(posted(request), entry=entry, organisations=bodies)
    names = f"{entry.organisation.display_name} and {counterpart.organisation.display_name}"

    def step() -> str:
        services.introduce(entry=entry, counterpart=counterpart, author=user, now=timezone.now(), **form.cleaned_data)
        return f"You introduced {names}."

    quoted = f"{counterpart.get_direction_display()} from {counterpart.organisation.display_name}: {counterpart.title}"
    return act(request, form, step, entry=entry, title=f"Introduce {names}", quoted=quoted)


def _both(user: User, pk: int, other: int) -> tuple[Entry, Entry]:
    seen = Entry.objects.visible_to(user).select_related("organisation")
    return get_object_or_404(seen, pk=pk), get_object_or_404(seen, pk=other)
