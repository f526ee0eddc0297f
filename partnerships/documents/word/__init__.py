"""A published version as a Word document: for people who file it or work on in their own words."""

from partnerships.documents.word.writing import SignatureLine, WordPaper, write_word

__all__ = ["SignatureLine", "WordPaper", "write_word"]
