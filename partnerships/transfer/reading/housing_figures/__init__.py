"""Read published tables of housing figures of any year, from spreadsheets or CSV."""

from partnerships.transfer.reading.housing_figures.figures import FigureList, PublishedFigure
from partnerships.transfer.reading.housing_figures.readers import READERS, Reader

__all__ = ["READERS", "FigureList", "PublishedFigure", "Reader"]
