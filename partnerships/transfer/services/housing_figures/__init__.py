"""Import published housing figures as dated datasets."""

from partnerships.transfer.services.housing_figures.importing import apply_housing_figures

__all__ = ["apply_housing_figures"]
