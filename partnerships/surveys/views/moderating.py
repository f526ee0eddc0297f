"""The moderator's page: the comments of a closed round, without scores, groups or times.

A view with a form passes an inner function to `take_step`, which calls it once the posted form is valid, shows its
message and redirects. If the service refuses, the form is shown again with the reason. On GET, `posted(request)` is
None, so that the form is empty.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.kit.http import posted
from partnerships.people.form_steps import ABOVE_FORM, take_step
from partnerships.people.requests import signed_in
from partnerships.surveys import services
from partnerships.surveys.forms import ModerateForm
from partnerships.surveys.models import Comment, Round
from partnerships.surveys.presenting import floor_words

#: Limit of comments on one page. A form with many more would exceed Django's limit of fields in a request.
AT_ONCE = 100


@require_http_methods(["GET", "HEAD", "POST"])
def decide_comments(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide which comments the parties can read, and remove names from them.

    Only the moderator can open this page. For anyone else it raises Http404, also for an administrator who views the
    site as the moderator.
    """
    user = signed_in(request)
    # An administrator who views the site as the moderator must not read the comments.
    if hasattr(request, "view_as"):
        raise Http404
    survey_round = get_object_or_404(Round.objects.moderated_by(user).for_pages(), pk=pk)
    waiting_comments = list(
        Comment.objects.filter(round=survey_round, status="waiting").order_by("question", "pk")[:AT_ONCE]
    )
    form = ModerateForm(posted(request), comments=waiting_comments, questions=survey_round.questions())

    def save_decisions() -> tuple[str, str]:
        shown, withheld = form.decisions()
        services.decide_comments(
            survey_round=survey_round, shown=shown, withheld=withheld, author=user, now=timezone.now()
        )
        return "Your decisions have been saved. The members can read the comments that you show.", request.path

    context: dict[str, Any] = {
        "round": survey_round,
        "partnership": survey_round.partnership,
        "floor": floor_words(survey_round),
        "is_empty": not waiting_comments,
    }
    # `take_step` calls `save_decisions` once the form is valid. If the service refuses, the form shows why.
    return take_step(
        request, "surveys/moderate.html", form, save_decisions, {services.UnableToModerate: ABOVE_FORM}, **context
    )
