"""Every change to developer agreements."""

from partnerships.developer_agreements.services.registers import (
    SOURCE,
    RegisterAgreement,
    giver_of,
    link_promises,
    record_agreements,
    words_of,
)

__all__ = ["SOURCE", "RegisterAgreement", "giver_of", "link_promises", "record_agreements", "words_of"]
