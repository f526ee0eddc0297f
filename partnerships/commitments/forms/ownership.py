"""The form to change the owner of a commitment."""

from __future__ import annotations

from typing import Any

from partnerships.commitments.forms.fields import owner_field
from partnerships.commitments.models import Commitment
from partnerships.kit.forms import Form, Helper


class OwnerForm(Form):
    """The form to choose another owner for a commitment."""

    def __init__(self, *args: Any, commitment: Commitment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"] = owner_field(commitment.owner_organisation, required=True)
        self.fields["owner"].initial = commitment.owner_id
        self.helper = Helper(self, submit="Change owner", cancel=commitment.get_absolute_url())
