"""Forms of documents: one field for each shape, and the form of one piece."""

from partnerships.documents.forms.dates import PartialDateField, PartialDateInput
from partnerships.documents.forms.pieces import FieldMaker, PieceForm, form_field
from partnerships.documents.forms.signing import QuestionsField, SignForm

__all__ = [
    "FieldMaker",
    "PartialDateField",
    "PartialDateInput",
    "PieceForm",
    "QuestionsField",
    "SignForm",
    "form_field",
]
