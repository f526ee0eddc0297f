"""Import brownfield land: each council's register becomes a public plan with its sites."""

from partnerships.transfer.services.brownfield_land.importing import import_brownfield_land

__all__ = ["import_brownfield_land"]
