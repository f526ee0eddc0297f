"""Forms to edit the pieces of a document, and to sign a version."""

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
