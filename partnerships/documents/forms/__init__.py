"""Forms of documents: one field for each shape, and the form of one piece."""

from partnerships.documents.forms.pieces import FieldMaker, PieceForm, form_field
from partnerships.documents.forms.signing import NO_QUESTIONS, AnswersForm, QuestionsField, SignForm

__all__ = [
    "NO_QUESTIONS",
    "AnswersForm",
    "FieldMaker",
    "PieceForm",
    "QuestionsField",
    "SignForm",
    "form_field",
]
