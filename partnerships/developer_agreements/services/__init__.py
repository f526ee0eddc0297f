"""Every change to developer agreements."""

from partnerships.developer_agreements.services.registers import (
    RegisterAgreement,
    link_promises,
    record_agreements,
)

__all__ = ["RegisterAgreement", "link_promises", "record_agreements"]
