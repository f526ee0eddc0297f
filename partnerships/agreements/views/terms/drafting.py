"""The pages on which people draft terms, one clause or row at a time."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.agreements.forms.terms import party_field_maker
from partnerships.agreements.models import Status, TermsProposal, TermsVersion
from partnerships.agreements.queries import acting_party
from partnerships.agreements.queries.terms import (
    base_content_of,
    content_of_proposal,
    newest_version,
    schema_of,
    version_to_amend,
)
from partnerships.agreements.services.terms import move_terms_piece, save_terms_piece, update_terms_draft
from partnerships.agreements.terms.collisions import parts_in_words
from partnerships.agreements.terms.schema import problems_of
from partnerships.agreements.views.terms.fetching import (
    TermsAccess,
    open_draft,
    open_proposal,
    paper_of_draft,
    signing_context,
)
from partnerships.documents import views as documents
from partnerships.documents.comparisons import compare
from partnerships.documents.forms import PieceForm
from partnerships.documents.queries import last_saves
from partnerships.documents.services import OpenDraft, UnableToSavePiece
from partnerships.documents.views import Piece
from partnerships.kit.http import post_data
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@require_safe
def proposal_detail(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show a proposal: its draft, its changes to the terms in force, and the parties that have signed.

    People who may not read drafts are redirected to the newest version of the proposal, if there is one.
    """
    user = signed_in(request)
    access, proposal = open_proposal(user, pk, number)
    version = newest_version(proposal)
    if not access.reads_drafts:
        if version is not None:
            return redirect(version)
        if proposal.is_drafting:
            raise Http404

    schema, content, paper = paper_of_draft(proposal)
    is_over = access.partnership.is_over
    can_edit = proposal.is_drafting and access.rights.may_draft and not is_over
    can_send = not access.is_former and access.rights.may_send_for_signature(proposal) and not is_over
    context = {
        "partnership": access.partnership,
        "access": access,
        "proposal": proposal,
        "version": version,
        "is_exploring": access.partnership.status == Status.EXPLORING,
        "paper": paper,
        "schema": schema,
        "lists": _lists(proposal) if can_edit else [],
        "compared": None if proposal.is_first else compare(schema, base_content_of(proposal), content),
        "problems": problems_of(proposal.declarations, content) if proposal.is_drafting else [],
        "newer_version": _newer_version(proposal),
        "can_edit": can_edit,
        "can_send": can_send,
    }
    if version is not None and not proposal.is_drafting:
        context |= signing_context(version)
    return render(request, "agreements/terms/proposal.html", context)


def _newer_version(proposal: TermsProposal) -> TermsVersion | None:
    """Return the version on which a drafted amendment should be based, or None if its base is right."""
    if not proposal.is_drafting or proposal.is_first:
        return None
    version = version_to_amend(proposal, timezone.now())
    return None if version is None or version.pk == proposal.based_on_id else version


def _lists(proposal: TermsProposal) -> list[documents.PieceList]:
    """Return the lists of clauses and rows, with the addresses that change them."""
    url_names = {
        "add": "agreements:terms-add",
        "edit": "agreements:terms-item",
        "move": "agreements:terms-move",
        "remove": "agreements:terms-remove",
    }

    def address(action: str, code: str, key: str) -> str:
        args = [proposal.partnership_id, proposal.number, code]
        if action != "add":
            args.append(key)
        return reverse(url_names[action], args=args)

    return documents.piece_lists(
        schema_of(proposal), content_of_proposal(proposal), address, last_saves=last_saves(proposal)
    )


def _acting_organisation(user: User, access: TermsAccess) -> Organisation | None:
    """Return the organisation for which the person edits, or None."""
    party = acting_party(user, access.partnership)
    return party.organisation if party else None


@require_http_methods(["GET", "HEAD", "POST"])
def edit_about(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Edit the particulars in the draft, such as purpose, dates and quorum."""
    return _edit(request, pk, number, code="about")


@require_http_methods(["GET", "HEAD", "POST"])
def edit_item(request: HttpRequest, pk: int, number: int, code: str, key: str) -> HttpResponse:
    """Edit a clause, a contribution, or a row of a schedule."""
    return _edit(request, pk, number, code, key)


@require_http_methods(["GET", "HEAD", "POST"])
def add_item(request: HttpRequest, pk: int, number: int, code: str) -> HttpResponse:
    """Add a clause, a contribution, or a row of a schedule."""
    return _edit(request, pk, number, code, new=True)


def _edit(request: HttpRequest, pk: int, number: int, code: str, key: str = "", *, new: bool = False) -> HttpResponse:
    """Show the form for one piece of the draft, and save it on POST. With `new`, the piece is added."""
    user = signed_in(request)
    access, proposal = open_draft(request, pk, number)
    draft = OpenDraft(schema_of(proposal), proposal, content_of_proposal(proposal))
    piece = documents.find_piece(request, draft, code, key, back=proposal.get_absolute_url(), new=new)
    form = PieceForm(
        post_data(request),
        schema=draft.schema,
        collection=piece.collection,
        content=draft.content,
        makers={"party": party_field_maker(access.partnership, draft.schema, draft.content)},
        initial=piece.initial,
        cancel=piece.back,
    )
    return documents.edit_piece(
        request,
        piece,
        form,
        save=_saver_for(user, access, proposal, piece),
        template="agreements/terms/piece.html",
        context={"partnership": access.partnership, "proposal": proposal},
    )


def _saver_for(user: User, access: TermsAccess, proposal: TermsProposal, piece: Piece) -> documents.Save:
    """Return a function that saves a piece of the draft."""

    def save(value: Any, based_on: int) -> object:
        return save_terms_piece(
            proposal=proposal,
            piece=piece.name,
            value=value,
            based_on=based_on,
            author=user,
            organisation=_acting_organisation(user, access),
            now=timezone.now(),
        )

    return save


@require_http_methods(["GET", "HEAD", "POST"])
def remove_item(request: HttpRequest, pk: int, number: int, code: str, key: str) -> HttpResponse:
    """Remove a clause or a row from the draft."""
    user = signed_in(request)
    access, proposal = open_draft(request, pk, number)
    draft = OpenDraft(schema_of(proposal), proposal, content_of_proposal(proposal))
    piece = documents.find_piece(request, draft, code, key, back=proposal.get_absolute_url())
    return documents.remove_piece(
        request,
        piece,
        save=_saver_for(user, access, proposal, piece),
        edit_url=reverse("agreements:terms-item", args=[pk, number, code, key]),
        template="documents/remove.html",
        context={"partnership": access.partnership, "proposal": proposal},
    )


@require_POST
def move_item(request: HttpRequest, pk: int, number: int, code: str, key: str) -> HttpResponse:
    """Move a clause or a row one place up or down."""
    user = signed_in(request)
    _access, proposal = open_draft(request, pk, number)
    collection = schema_of(proposal).collection_by_code.get(code)
    if collection is None:
        raise Http404

    def move(up: bool) -> bool:
        return move_terms_piece(proposal=proposal, piece=f"{code}/{key}", up=up, author=user, now=timezone.now())

    return documents.move_piece(request, collection, key, move=move, back=proposal.get_absolute_url())


@require_POST
def proposal_update(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Base the draft on the version in force, and name the parts that both have changed."""
    user = signed_in(request)
    access, proposal = open_draft(request, pk, number)
    try:
        part_names = update_terms_draft(
            proposal=proposal, author=user, organisation=_acting_organisation(user, access), now=timezone.now()
        )
    except UnableToSavePiece as error:
        messages.error(request, str(error))
        return redirect(proposal)

    if part_names:
        messages.warning(
            request,
            "The draft is up to date. Both the draft and the version in force changed "
            f"{parts_in_words(part_names)}. We kept the text of the draft. Compare both texts below.",
        )
    else:
        messages.success(request, "The draft is up to date with the terms in force.")
    return redirect(proposal)
