"""The page to change the owner.

A view with a form passes an inner function to `take_step`, which calls it once the posted form is valid, shows its
message and redirects. If the service refuses, the form is shown again with the reason. On GET, `posted(request)` is
None, so that the form is empty.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.commitments import services
from partnerships.commitments.forms.ownership import OwnerForm
from partnerships.commitments.views.steps import open_commitment
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.people.form_steps import ABOVE_FORM, take_step


@require_http_methods(["GET", "HEAD", "POST"])
def edit_owner(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the owner of a commitment, for the side that delivers."""
    user, commitment, rights = open_commitment(request, pk)
    require(rights.edits_for_deliverer)
    form = OwnerForm(posted(request), commitment=commitment)

    def change_owner() -> tuple[str, str]:
        services.change_owner(commitment=commitment, owner=form.cleaned_data["owner"], author=user, now=timezone.now())
        name = form.cleaned_data["owner"].display_name
        return f"{name} now owns {commitment.reference}.", commitment.get_absolute_url()

    # `take_step` calls `change_owner` once the form is valid. If the service refuses, the form shows why.
    return take_step(
        request,
        "commitments/owner.html",
        form,
        change_owner,
        {services.UnableToChangeOwner: ABOVE_FORM},
        commitment=commitment,
    )
