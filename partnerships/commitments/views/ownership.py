"""The page to change the owner."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.commitments import services
from partnerships.commitments.forms.ownership import OwnerForm
from partnerships.commitments.views.fetching import open_commitment
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require


@require_http_methods(["GET", "HEAD", "POST"])
def edit_owner(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the person who owns a commitment, for the organisation that delivers."""
    user, commitment, rights = open_commitment(request, pk)
    require(rights.edits_for_deliverer)
    form = OwnerForm(post_data(request), commitment=commitment)

    if request.method == "POST" and form.is_valid():
        owner = form.cleaned_data["owner"]
        with show_refusal(form, services.UnableToChangeOwner):
            services.change_owner(commitment=commitment, owner=owner, author=user, now=timezone.now())
            messages.success(request, f"{owner.display_name} now owns {commitment.reference}.")
            return redirect(commitment)

    return form_page(request, "commitments/owner.html", form, commitment=commitment)
