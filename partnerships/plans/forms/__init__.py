"""The forms of plans."""

from partnerships.plans.forms.commenting import CommentForm
from partnerships.plans.forms.homes import HomesFormSet
from partnerships.plans.forms.owning import OfferAnswerForm, OfferForm
from partnerships.plans.forms.pieces import DocumentForm, PieceForm
from partnerships.plans.forms.plan import AudienceForm, PlanForm, StatusForm
from partnerships.plans.forms.publishing import MilestoneForm, PublishForm
from partnerships.plans.forms.sharing import AnswerForm, AskForm, ShareForm
from partnerships.plans.forms.signing import ConditionForm, DueDayForm, SignatoriesForm

__all__ = [
    "AnswerForm",
    "AskForm",
    "AudienceForm",
    "CommentForm",
    "ConditionForm",
    "DocumentForm",
    "DueDayForm",
    "HomesFormSet",
    "MilestoneForm",
    "OfferAnswerForm",
    "OfferForm",
    "PieceForm",
    "PlanForm",
    "PublishForm",
    "ShareForm",
    "SignatoriesForm",
    "StatusForm",
]
