"""The page to choose who took part, before the form of the record."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from partnerships.agreements.models import Partnership, PartyRole
from partnerships.commitments.queries import partners_of
from partnerships.conversations.forms.choosing import ChooseSidesForm
from partnerships.kit.http import form_page, row_number
from partnerships.organisations.models import Organisation, OrganisationQuerySet
from partnerships.organisations.naming import with_former_names
from partnerships.organisations.queries import find_organisations
from partnerships.people.models import User

#: Other parameters in the URL of a new record. Links and forms pass these on while the person chooses the sides.
PASSED_ON = ("from", "state")
#: A URL can name this many other organisations; the page ignores any more.
_MAX_SIDES = 4


def named_sides(request: HttpRequest, user: User, keeper: Organisation) -> list[Organisation]:
    """Return the organisations that the URL names with `with`, except the organisation that keeps the record."""
    numbers = [row_number(text) for text in request.GET.getlist("with")]
    ids = [number for number in numbers if number is not None]
    if not ids:
        return []
    organisations = Organisation.objects.visible_to(user).exclude(pk=keeper.pk).order_by("name", "pk")
    return list(organisations.filter(pk__in=ids)[:_MAX_SIDES])


def choose_sides(
    request: HttpRequest,
    user: User,
    keeper: Organisation,
    *,
    partnership: Partnership | None = None,
    chosen: Sequence[Organisation] = (),
    back: str = "",
) -> HttpResponse:
    """Show the page to choose the other sides: parties of the partnership, partners, or the results of a search.

    The organisations in `chosen` are ticked if the URL names none. `back` is the page of the record that is being
    written, to which the choice leads; without `back`, the choice leads to a new record.
    """
    if request.method == "POST":
        # The form is sent by GET, so that the choice becomes part of the URL of the next form.
        raise Http404
    chosen_sides = named_sides(request, user, keeper) or list(chosen)

    # The form is bound only if it was sent with nothing chosen, so that it shows an error.
    was_sent_empty = "chosen" in request.GET and not chosen_sides
    form = ChooseSidesForm(
        request.GET if was_sent_empty else None,
        partners=partners_of(user).exclude(pk=keeper.pk),
        parties=_parties(partnership, keeper, chosen_sides) if partnership else None,
        initial={
            "chosen": True,
            "others": [organisation.pk for organisation in chosen_sides],
            "partnership": partnership.pk if partnership else None,
            "keeper": row_number(request.GET.get("for", "")),
            "came_from": request.GET.get("from", ""),
            "state": request.GET.get("state", ""),
        },
    )
    if form.is_valid():
        form.add_error("others", "Choose at least one organisation.")

    text = request.GET.get("find", "").strip()[:100]
    return form_page(
        request,
        "conversations/choose.html",
        form,
        find=text,
        search_results=_search_results(user, text, keeper) if text else [],
        chosen_sides=chosen_sides,
        partnership=partnership,
        keeper=keeper,
        passed_on=[(name, request.GET[name]) for name in PASSED_ON if request.GET.get(name)],
        record_url=back or reverse("conversations:new"),
        other_parameters=_other_parameters(request, chosen_sides, partnership),
        back=back or list_of(partnership),
    )


def _search_results(user: User, text: str, keeper: Organisation) -> OrganisationQuerySet:
    """Return the first 20 organisations whose present or former name has the text."""
    organisations = find_organisations(user=user, text=text).exclude(pk=keeper.pk)
    return with_former_names(organisations).order_by("name", "pk")[:20]


def list_of(partnership: Partnership | None) -> str:
    """Return the URL of the list of the partnership's conversations, or of all conversations."""
    if partnership is None:
        return reverse("conversations:list")
    return reverse("web:partnership-conversations", args=[partnership.pk])


def _other_parameters(
    request: HttpRequest, chosen_sides: Sequence[Organisation], partnership: Partnership | None
) -> str:
    """Return the end of a link that adds an organisation to the choice, as "&name=value".

    It has what was chosen so far; "" if nothing was.
    """
    pairs = [("with", str(organisation.pk)) for organisation in chosen_sides]
    if partnership is not None:
        pairs.append(("partnership", str(partnership.pk)))
    if request.GET.get("for"):
        pairs.append(("for", request.GET["for"]))
    pairs += [(name, request.GET[name]) for name in PASSED_ON if request.GET.get(name)]
    return f"&{urlencode(pairs)}" if pairs else ""


def _parties(partnership: Partnership, keeper: Organisation, chosen_sides: Sequence[Organisation]) -> dict[int, str]:
    """Return the labels of the other parties, and of chosen sides that are not parties, by the organisation's id."""
    parties = partnership.parties.accepted().exclude(organisation=keeper).select_related("organisation")
    label_by_pk = {}
    for party in parties.order_by("organisation__name", "pk"):
        is_observer = party.role == PartyRole.OBSERVER
        label_by_pk[party.organisation_id] = party.organisation.name + (" (observer)" if is_observer else "")
    for organisation in chosen_sides:
        label_by_pk.setdefault(organisation.pk, organisation.name)
    return label_by_pk
