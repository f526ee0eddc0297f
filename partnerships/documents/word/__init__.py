"""Word documents: of a published version, and of figures, for people who file them or work on in their own words."""

from partnerships.documents.word.tables import (
    FEW_TABLES,
    MAX_COLUMNS,
    TablesPaper,
    WordPicture,
    WordTable,
    write_tables,
)
from partnerships.documents.word.writing import SignatureLine, WordPaper, write_word

__all__ = [
    "FEW_TABLES",
    "MAX_COLUMNS",
    "SignatureLine",
    "TablesPaper",
    "WordPaper",
    "WordPicture",
    "WordTable",
    "write_tables",
    "write_word",
]
