"""Every change to developer agreements."""

from partnerships.developer_agreements.services.registers import (
    SOURCE,
    RegisterAgreement,
    giver_name_for,
    link_promises,
    promise_description,
    record_agreements,
)

__all__ = ["SOURCE", "RegisterAgreement", "giver_name_for", "link_promises", "promise_description", "record_agreements"]
