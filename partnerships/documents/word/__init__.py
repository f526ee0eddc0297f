"""Word documents: of a published version, and of figures, for people who file them or work on in their own words."""

from partnerships.documents.word.tables import MAX_COLUMNS, TablesPaper, WordTable, write_tables
from partnerships.documents.word.writing import SignatureLine, WordPaper, write_word

__all__ = ["MAX_COLUMNS", "SignatureLine", "TablesPaper", "WordPaper", "WordTable", "write_tables", "write_word"]
