"""Create Word documents of published versions and of figures."""

from partnerships.documents.word.tables import (
    MAX_COLUMNS,
    MAX_TABLES_WITHOUT_CONTENTS,
    TablesPaper,
    WordPicture,
    WordTable,
    write_tables,
)
from partnerships.documents.word.writing import SignatureLine, WordPaper, write_word

__all__ = [
    "MAX_COLUMNS",
    "MAX_TABLES_WITHOUT_CONTENTS",
    "SignatureLine",
    "TablesPaper",
    "WordPaper",
    "WordPicture",
    "WordTable",
    "write_tables",
    "write_word",
]
