"""Import developer agreements, whose contributions become commitments."""

from partnerships.transfer.services.developer_agreements.importing import import_developer_agreements

__all__ = ["import_developer_agreements"]
