"""Comments on a plan and its pieces: threads, replies, resolving."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.organisations.naming import show_as_at
from partnerships.outbox.content import will_be_emailed
from partnerships.people.requests import signed_in
from partnerships.plans.content import COLLECTIONS, Content
from partnerships.plans.forms import CommentForm
from partnerships.plans.models import Comment, Opening
from partnerships.plans.presenting import anchor_label, place_on_page
from partnerships.plans.queries import content_for, content_of, draft_content, newest_for
from partnerships.plans.services import UnableToComment, add_comment, set_resolved
from partnerships.plans.views.fetching import Opened, log_opening, open_draft, open_plan


@dataclass(frozen=True, slots=True)
class Thread:
    """A comment with its replies.

    `place` is its piece in the newest version, or says that it is gone.
    """

    first: Comment
    answers: tuple[Comment, ...]
    place: str
    href: str
    is_orphan: bool


def _anchors(content: Content) -> list[tuple[str, str]]:
    """The pieces that can be commented on, with their names."""
    return [
        (f"{collection.code}/{item['key']}", f"{collection.label}: {item[collection.title]}"[:120])
        for collection in COLLECTIONS
        if collection.code != "documents"
        for item in content[collection.code]
    ]


def _threads(comments: QuerySet[Comment], content: Content, pk: int, *, on_draft: bool) -> list[Thread]:
    """Comments with their answers, open ones first.

    Those on removed items have no link.
    """
    rows = list(comments.select_related("author", "organisation", "resolved_by").order_by("created_at", "pk"))
    show_as_at((timezone.localdate(row.created_at), row.organisation) for row in rows)
    live = {anchor: words.partition(": ")[2] for anchor, words in _anchors(content)}
    answers: dict[int, list[Comment]] = {}
    for row in rows:
        if row.parent_id:
            answers.setdefault(row.parent_id, []).append(row)
    page = reverse("plans:draft" if on_draft else "plans:detail", kwargs={"pk": pk})
    threads = []
    for row in rows:
        if row.parent_id:
            continue
        orphan = bool(row.anchor) and row.anchor != "about" and row.anchor not in live
        kind = anchor_label(row.anchor)
        if not row.anchor or row.anchor == "about":
            place, href = "The whole plan", page
        elif orphan:
            place, href = f"On a removed {kind}: {row.anchor_label}", ""
        else:
            place, href = f"{kind.capitalize()}: {live[row.anchor]}", page + place_on_page(row.anchor)
        threads.append(
            Thread(first=row, answers=tuple(answers.get(row.pk, ())), place=place, href=href, is_orphan=orphan)
        )
    return sorted(threads, key=lambda thread: thread.first.resolved_at is not None)


def _open(request: HttpRequest, pk: int, *, on_draft: bool) -> tuple[Opened, int, Content]:
    """The plan, the version number (0: the draft) and the content."""
    if on_draft:
        opened, _draft = open_draft(request, pk)
        return opened, 0, content_for(draft_content(opened.plan), opened.reader)
    opened = open_plan(request, pk)
    version = newest_for(request.user, opened.plan)
    if version is None:
        raise Http404
    return opened, version.number, content_for(content_of(opened.plan, version.number), opened.reader)


def _may_comment(opened: Opened, number: int) -> bool:
    return not opened.plan.is_over and opened.rights is not None and opened.rights.may_comment(number)


def _emailed(comment: Comment) -> str:
    """Words about the emails to mentioned people, to end a message with."""
    mentioned = comment.mentions.select_related("person").order_by("pk")
    return will_be_emailed([mention.person.display_name for mention in mentioned])


@require_http_methods(["GET", "HEAD", "POST"])
def comments(request: HttpRequest, pk: int) -> HttpResponse:
    """Comments on the published plan."""
    if request.method == "GET" and newest_for(request.user, open_plan(request, pk).plan) is None:
        return redirect("plans:draft-comments", pk=pk)
    return _page(request, pk, on_draft=False)


@require_http_methods(["GET", "HEAD", "POST"])
def draft_comments(request: HttpRequest, pk: int) -> HttpResponse:
    """Comments on the draft."""
    return _page(request, pk, on_draft=True)


def _page(request: HttpRequest, pk: int, *, on_draft: bool) -> HttpResponse:
    """The comments on a version or on the draft, and the form to add one."""
    opened, number, content = _open(request, pk, on_draft=on_draft)
    may_comment = _may_comment(opened, number)
    anchors = _anchors(content)
    form = CommentForm(posted(request), anchors=anchors, initial={"anchor": request.GET.get("about", "")})
    if request.method == "POST":
        if not may_comment:
            raise PermissionDenied
        if form.is_valid():
            try:
                comment = add_comment(
                    plan=opened.plan,
                    version_number=number,
                    text=form.cleaned_data["text"],
                    anchor=form.cleaned_data["anchor"],
                    author=signed_in(request),
                    now=timezone.now(),
                )
            except UnableToComment as error:
                form.add_error("text", str(error))
            else:
                messages.success(request, f"Comment added.{_emailed(comment)}")
                return redirect(f"{request.path}#comment-{comment.pk}")
    if on_draft:
        log_opening(request, opened, Opening.COMMENTS)
    visible = Comment.objects.visible_to(request.user).filter(plan=pk)
    visible = visible.filter(version_number=0) if on_draft else visible.exclude(version_number=0)
    threads = _threads(visible, content, pk, on_draft=on_draft)
    about = dict(anchors).get(request.GET.get("about", ""), "")
    if about:
        threads = [thread for thread in threads if thread.first.anchor == request.GET["about"]]
    return render(
        request,
        "plans/comments.html",
        {
            "plan": opened.plan,
            "opened": opened,
            "on_draft": on_draft,
            "number": number,
            "about": about,
            "threads": threads,
            "form": form,
            "may_comment": may_comment,
        },
        status=422 if form.errors else 200,
    )


def _thread(request: HttpRequest, pk: int, comment: int) -> tuple[Opened, Comment]:
    opened = open_plan(request, pk)
    thread = get_object_or_404(
        Comment.objects.visible_to(request.user).select_related("author", "parent", "plan"), plan=pk, pk=comment
    )
    return opened, thread.parent or thread


def _back(comment: Comment) -> str:
    route = "plans:draft-comments" if comment.is_on_draft else "plans:comments"
    return f"{reverse(route, kwargs={'pk': comment.plan_id})}#comment-{comment.pk}"


@require_http_methods(["GET", "HEAD", "POST"])
def reply(request: HttpRequest, pk: int, comment: int) -> HttpResponse:
    """Reply to a thread."""
    opened, thread = _thread(request, pk, comment)
    if not _may_comment(opened, thread.version_number):
        raise PermissionDenied
    form = CommentForm(posted(request), reply=True)
    if request.method == "POST" and form.is_valid():
        try:
            said = add_comment(
                plan=opened.plan,
                version_number=thread.version_number,
                text=form.cleaned_data["text"],
                parent=thread,
                author=signed_in(request),
                now=timezone.now(),
            )
        except UnableToComment as error:
            form.add_error("text", str(error))
        else:
            messages.success(request, f"Reply added.{_emailed(said)}")
            return redirect(_back(thread))
    if thread.is_on_draft:
        log_opening(request, opened, Opening.COMMENTS)
    return render(
        request,
        "plans/reply.html",
        {"plan": opened.plan, "thread": thread, "form": form, "back": _back(thread)},
        status=422 if form.errors else 200,
    )


@require_POST
def resolve(request: HttpRequest, pk: int, comment: int) -> HttpResponse:
    """Resolve a thread, or reopen it."""
    opened, thread = _thread(request, pk, comment)
    require(not opened.plan.is_over and opened.rights is not None and opened.rights.may_resolve(thread))
    resolved = request.POST.get("resolved") != "no"
    set_resolved(comment=thread, resolved=resolved, author=signed_in(request), now=timezone.now())
    messages.success(request, "Thread resolved." if resolved else "Thread reopened.")
    return redirect(_back(thread))
