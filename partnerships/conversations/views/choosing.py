"""The page to choose who took part, before the form."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from partnerships.agreements.models import Partnership, PartyRole
from partnerships.commitments.queries import partners_of
from partnerships.conversations.forms.choosing import ChooseForm
from partnerships.kit.http import form_page, row_number
from partnerships.organisations.models import Organisation
from partnerships.organisations.naming import with_former_names
from partnerships.organisations.queries import find_organisations
from partnerships.people.models import User

#: Other parameters of the address of a new record. Links keep them while its sides are chosen.
KEPT = ("from", "state")
#: Other sides that an address can name.
_MAX_SIDES = 4


def named_sides(request: HttpRequest, user: User, keeper: Organisation) -> list[Organisation]:
    """Organisations named in the address, except the keeper."""
    ids = [row_id for text in request.GET.getlist("with") if (row_id := row_number(text)) is not None]
    organisations = Organisation.objects.visible_to(user).exclude(pk=keeper.pk).order_by("name", "pk")
    return list(organisations.filter(pk__in=ids)[:_MAX_SIDES]) if ids else []


def choose_sides(
    request: HttpRequest,
    user: User,
    keeper: Organisation,
    *,
    partnership: Partnership | None = None,
    chosen: Sequence[Organisation] = (),
    back: str = "",
) -> HttpResponse:
    """Choose the other sides: parties, known partners or a search result."""
    if request.method == "POST":
        raise Http404
    text = request.GET.get("find", "").strip()[:100]
    kept = named_sides(request, user, keeper) or list(chosen)
    names = with_former_names(find_organisations(user=user, text=text).exclude(pk=keeper.pk)).order_by("name", "pk")
    form = ChooseForm(
        request.GET if "chosen" in request.GET and not kept else None,
        partners=partners_of(user).exclude(pk=keeper.pk),
        parties=_parties(partnership, keeper, kept) if partnership else None,
        initial={
            "chosen": True,
            "others": [organisation.pk for organisation in kept],
            "partnership": partnership.pk if partnership else None,
            "keeper": row_number(request.GET.get("for", "")),
            "came_from": request.GET.get("from", ""),
            "state": request.GET.get("state", ""),
        },
    )
    if form.is_bound and form.is_valid():
        form.add_error("others", "Choose at least one organisation.")
    return form_page(
        request,
        "conversations/choose.html",
        form,
        find=text,
        found=names[:20] if text else [],
        kept=kept,
        partnership=partnership,
        keeper=keeper,
        hidden=[(name, request.GET[name]) for name in KEPT if request.GET.get(name)],
        address=back or reverse("conversations:new"),
        rest=_rest_of_query(request, kept, partnership),
        back=back or list_of(partnership),
    )


def list_of(partnership: Partnership | None) -> str:
    """Address of the partnership's conversations, or of all."""
    if partnership is None:
        return reverse("conversations:list")
    return reverse("web:partnership-conversations", args=[partnership.pk])


def _rest_of_query(
    request: HttpRequest, kept_organisations: Sequence[Organisation], partnership: Partnership | None
) -> str:
    """The parameters that keep what is chosen when another organisation is added."""
    pairs = [("with", str(organisation.pk)) for organisation in kept_organisations]
    if partnership is not None:
        pairs.append(("partnership", str(partnership.pk)))
    if request.GET.get("for"):
        pairs.append(("for", request.GET["for"]))
    pairs += [(name, request.GET[name]) for name in KEPT if request.GET.get(name)]
    return f"&{urlencode(pairs)}" if pairs else ""


def _parties(
    partnership: Partnership, keeper: Organisation, kept_organisations: Sequence[Organisation]
) -> dict[int, str]:
    """Roles of the other parties and of sides already chosen, by id."""
    parties = partnership.parties.present().exclude(organisation=keeper).select_related("organisation")
    words = {
        party.organisation_id: f"{party.organisation.name}{' (observer)' if party.role == PartyRole.OBSERVER else ''}"
        for party in parties.order_by("organisation__name", "pk")
    }
    return words | {
        organisation.pk: organisation.name for organisation in kept_organisations if organisation.pk not in words
    }
