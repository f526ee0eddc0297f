"""The page on which a moderator reads the comments of a closed round, without scores, groups or times."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.people.requests import signed_in
from partnerships.surveys import services
from partnerships.surveys.forms import ModerateForm
from partnerships.surveys.models import Comment, Round
from partnerships.surveys.presenting import floor_in_words

#: A page has at most this many comments. Many more would exceed Django's limit of fields in a request.
COMMENTS_PER_PAGE = 100


@require_http_methods(["GET", "HEAD", "POST"])
def decide_comments(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide which comments the parties can read, and remove names from them.

    Only the moderator can open this page. Raises Http404 for anyone else, including an administrator who views the site
    as the moderator.
    """
    user = signed_in(request)
    # An administrator who views the site as the moderator must not read the comments.
    if hasattr(request, "view_as"):
        raise Http404
    survey_round = get_object_or_404(Round.objects.moderated_by(user).for_pages(), pk=pk)
    comments = Comment.objects.filter(round=survey_round, status="waiting")
    waiting_comments = list(comments.order_by("question", "pk")[:COMMENTS_PER_PAGE])
    form = ModerateForm(post_data(request), comments=waiting_comments, questions=survey_round.questions())

    if request.method == "POST" and form.is_valid():
        decisions = form.decisions()
        with show_refusal(form, services.UnableToModerate):
            services.decide_comments(
                survey_round=survey_round,
                shown=decisions.shown_text_by_id,
                withheld=decisions.withheld_ids,
                author=user,
                now=timezone.now(),
            )
            messages.success(
                request, "Your decisions have been saved. The members can read the comments that you show."
            )
            return redirect(request.path)

    return form_page(
        request,
        "surveys/moderate.html",
        form,
        round=survey_round,
        partnership=survey_round.partnership,
        floor=floor_in_words(survey_round),
        is_empty=not waiting_comments,
    )
