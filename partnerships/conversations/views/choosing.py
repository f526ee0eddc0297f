"""The page to choose the other organisations in a conversation, which comes before the form of the record."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from partnerships.agreements.models import Partnership, PartyRole
from partnerships.commitments.queries import partners_of
from partnerships.conversations.forms.choosing import ChooseOrganisationsForm
from partnerships.kit.http import form_page, row_number
from partnerships.organisations.models import Organisation, OrganisationQuerySet
from partnerships.organisations.naming import with_former_names
from partnerships.organisations.queries import find_organisations
from partnerships.people.models import User

#: Other parameters in the URL of a new record. Links and forms keep these while the person chooses organisations.
_KEPT_PARAMETERS = ("from", "state")
#: A URL can name at most this many other organisations. The page ignores any more.
_MAX_OTHER_ORGANISATIONS = 4


def organisations_in_url(request: HttpRequest, user: User, own_organisation: Organisation) -> list[Organisation]:
    """Return the other organisations that the URL names, by name.

    For example, `?with=12&with=30` names the organisations 12 and 30. The person's own organisation is left out.
    """
    numbers = [row_number(text) for text in request.GET.getlist("with")]
    ids = [number for number in numbers if number is not None]
    if not ids:
        return []
    organisations = Organisation.objects.visible_to(user).exclude(pk=own_organisation.pk).order_by("name", "pk")
    return list(organisations.filter(pk__in=ids)[:_MAX_OTHER_ORGANISATIONS])


def choose_organisations(
    request: HttpRequest,
    user: User,
    own_organisation: Organisation,
    *,
    partnership: Partnership | None = None,
    recorded_organisations: Sequence[Organisation] = (),
    edit_url: str = "",
) -> HttpResponse:
    """Show the page to choose the other organisations: parties of the partnership, partners, or search results.

    `own_organisation` keeps the record. For a record that exists, `recorded_organisations` are ticked at first, and
    the choice leads to the form at `edit_url`. Otherwise it leads to the form of a new record.
    """
    if request.method == "POST":
        # The form is sent by GET, so that the choice becomes part of the URL of the next form.
        raise Http404
    chosen = organisations_in_url(request, user, own_organisation) or list(recorded_organisations)

    # The form is bound only if it was sent with nothing chosen, so that it shows an error.
    was_sent_empty = "chosen" in request.GET and not chosen
    form = ChooseOrganisationsForm(
        request.GET if was_sent_empty else None,
        partners=partners_of(user).exclude(pk=own_organisation.pk),
        parties=_party_labels(partnership, own_organisation, chosen) if partnership else None,
        initial={
            "chosen": True,
            "others": [organisation.pk for organisation in chosen],
            "partnership": partnership.pk if partnership else None,
            "own_organisation": row_number(request.GET.get("for", "")),
            "came_from": request.GET.get("from", ""),
            "state": request.GET.get("state", ""),
        },
    )
    if form.is_valid():
        form.add_error("others", "Choose at least one organisation.")

    search_text = request.GET.get("find", "").strip()[:100]
    return form_page(
        request,
        "conversations/choose.html",
        form,
        search_text=search_text,
        search_results=_search_results(user, search_text, own_organisation) if search_text else [],
        chosen_organisations=chosen,
        partnership=partnership,
        own_organisation=own_organisation,
        kept_parameters=kept_parameters_in(request),
        record_url=edit_url or reverse("conversations:new"),
        other_parameters=_other_parameters(request, chosen, partnership),
        back=edit_url or list_of(partnership),
    )


def _search_results(user: User, search_text: str, own_organisation: Organisation) -> OrganisationQuerySet:
    """Return the first 20 other organisations with this text in their present or a former name."""
    organisations = find_organisations(user=user, text=search_text).exclude(pk=own_organisation.pk)
    return with_former_names(organisations).order_by("name", "pk")[:20]


def list_of(partnership: Partnership | None) -> str:
    """Return the URL of the list of the partnership's conversations, or of all conversations."""
    if partnership is None:
        return reverse("conversations:list")
    return reverse("web:partnership-conversations", args=[partnership.pk])


def kept_parameters_in(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the name and value of each of the `_KEPT_PARAMETERS` in the URL."""
    return [(name, request.GET[name]) for name in _KEPT_PARAMETERS if request.GET.get(name)]


def _other_parameters(request: HttpRequest, chosen: Sequence[Organisation], partnership: Partnership | None) -> str:
    """Return what follows `?with=12` in a link that adds organisation 12 to the chosen organisations.

    For example, `&with=30&partnership=3` if organisation 30 is already chosen for a conversation in partnership 3.
    """
    parameters = [("with", str(organisation.pk)) for organisation in chosen]
    if partnership is not None:
        parameters.append(("partnership", str(partnership.pk)))
    if request.GET.get("for"):
        parameters.append(("for", request.GET["for"]))
    parameters += kept_parameters_in(request)
    return f"&{urlencode(parameters)}" if parameters else ""


def _party_labels(
    partnership: Partnership, own_organisation: Organisation, chosen: Sequence[Organisation]
) -> dict[int, str]:
    """Return the label of each other party, by the organisation's id.

    Chosen organisations that are not parties are included too, so that the person can untick them.
    """
    parties = partnership.parties.accepted().exclude(organisation=own_organisation).select_related("organisation")
    label_by_pk = {}
    for party in parties.order_by("organisation__name", "pk"):
        is_observer = party.role == PartyRole.OBSERVER
        label_by_pk[party.organisation_id] = party.organisation.name + (" (observer)" if is_observer else "")
    for organisation in chosen:
        label_by_pk.setdefault(organisation.pk, organisation.name)
    return label_by_pk
