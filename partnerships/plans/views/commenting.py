"""Pages to read and write comments on a plan or its draft, and to resolve threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.naming import show_names_of_day
from partnerships.outbox.content import email_notice_sentence
from partnerships.people.requests import signed_in
from partnerships.plans.content import COLLECTIONS, Content
from partnerships.plans.forms import CommentForm
from partnerships.plans.models import Comment, OpeningMethod
from partnerships.plans.presenting import anchor_label, link_to_piece
from partnerships.plans.queries import content_for_reader, content_of_draft, newest_version_for
from partnerships.plans.services import UnableToComment, add_comment, set_resolved
from partnerships.plans.views.fetching import PlanAccess, log_opening, open_draft, open_plan


@dataclass(frozen=True, slots=True)
class Thread:
    """A comment with its replies."""

    first: Comment
    replies: tuple[Comment, ...]
    #: The piece that the comment is about, such as "Site: North Quay", or "On a removed site: North Quay".
    place: str
    #: The address of the piece; "" if the piece was removed.
    href: str


def _anchor_choices(content: Content) -> list[tuple[str, str]]:
    """Return the pieces on which people can comment, each with its label. Documents take no comments."""
    choices = []
    for collection in COLLECTIONS:
        if collection.code == "documents":
            continue
        for item in content[collection.code]:
            label = f"{collection.label}: {item[collection.title_field]}"
            choices.append((f"{collection.code}/{item['key']}", label[:120]))
    return choices


def _threads(comments: QuerySet[Comment], content: Content, plan_pk: int, *, on_draft: bool) -> list[Thread]:
    """Return the threads of these comments, with open threads first."""
    ordered_comments = list(
        comments.select_related("author", "organisation", "resolved_by").order_by("created_at", "pk")
    )
    # Each comment shows the organisation under the name that it had on that day.
    show_names_of_day((timezone.localdate(comment.created_at), comment.organisation) for comment in ordered_comments)

    replies_by_thread: dict[int, list[Comment]] = {}
    for comment in ordered_comments:
        if comment.parent_id:
            replies_by_thread.setdefault(comment.parent_id, []).append(comment)

    title_by_anchor = {anchor: label.partition(": ")[2] for anchor, label in _anchor_choices(content)}
    page = reverse("plans:draft" if on_draft else "plans:detail", kwargs={"pk": plan_pk})
    threads = [
        _thread(comment, tuple(replies_by_thread.get(comment.pk, ())), title_by_anchor, page)
        for comment in ordered_comments
        if not comment.parent_id
    ]
    return sorted(threads, key=lambda thread: thread.first.is_resolved)


def _thread(comment: Comment, replies: tuple[Comment, ...], title_by_anchor: Mapping[str, str], page: str) -> Thread:
    """Return the thread of a comment. `title_by_anchor` contains the pieces of the present content."""
    anchor, kind = comment.anchor, anchor_label(comment.anchor)
    if anchor in ("", "about"):
        place, href = "The whole plan", page
    elif anchor in title_by_anchor:
        place, href = f"{kind.capitalize()}: {title_by_anchor[anchor]}", f"{page}{link_to_piece(anchor)}"
    else:
        place, href = f"On a removed {kind}: {comment.anchor_label}", ""
    return Thread(first=comment, replies=replies, place=place, href=href)


def _may_comment(access: PlanAccess, version_number: int) -> bool:
    """Return whether the person may comment on this version, or on the draft if the number is 0."""
    return not access.plan.is_over and access.rights is not None and access.rights.may_comment(version_number)


def _recipients_sentence(comment: Comment) -> str:
    """Return a sentence that names the mentioned people who get an email, for the end of a message."""
    mentions = comment.mentions.select_related("person").order_by("pk")
    return email_notice_sentence([mention.person.display_name for mention in mentions])


class _CommentedText(NamedTuple):
    """The version or draft of a plan on which people comment."""

    access: PlanAccess
    #: 0 for the draft.
    version_number: int
    content: Content


@require_http_methods(["GET", "HEAD", "POST"])
def comments(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the comments on the published plan. On POST, add a comment.

    If the reader sees no version, redirect to the comments on the draft.
    """
    access = open_plan(request, pk)
    version = newest_version_for(request.user, access.plan)
    if version is None:
        if request.method == "POST":
            raise Http404
        return redirect("plans:draft-comments", pk=pk)
    content = content_for_reader(version.content, access.reader)
    return _comments_page(request, _CommentedText(access, version.number, content))


@require_http_methods(["GET", "HEAD", "POST"])
def draft_comments(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the comments on the draft. On POST, add a comment."""
    access, draft = open_draft(request, pk)
    content = content_for_reader(content_of_draft(draft), access.reader)
    return _comments_page(request, _CommentedText(access, 0, content))


def _comments_page(request: HttpRequest, commented_text: _CommentedText) -> HttpResponse:
    """Show the comments on a version or on the draft, with a form to add one. On POST, add the comment."""
    access, version_number, content = commented_text
    pk, on_draft = access.plan.pk, version_number == 0
    may_comment = _may_comment(access, version_number)
    if request.method == "POST" and not may_comment:
        raise PermissionDenied

    anchor = request.GET.get("about", "")
    anchor_choices = _anchor_choices(content)
    form = CommentForm(post_data(request), anchors=anchor_choices, initial={"anchor": anchor})
    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToComment, field="text"):
            comment = add_comment(
                plan=access.plan,
                version_number=version_number,
                text=form.cleaned_data["text"],
                anchor=form.cleaned_data["anchor"],
                author=signed_in(request),
                now=timezone.now(),
            )
            messages.success(request, f"Comment added.{_recipients_sentence(comment)}")
            return redirect(f"{request.path}#comment-{comment.pk}")

    if on_draft:
        # Editors of the plan can see who opened a shared draft, and when.
        log_opening(request, access, OpeningMethod.COMMENTS)
    threads = _threads(_visible_comments(request, pk, on_draft=on_draft), content, pk, on_draft=on_draft)
    chosen_label = dict(anchor_choices).get(anchor, "")
    if chosen_label:
        threads = [thread for thread in threads if thread.first.anchor == anchor]
    return form_page(
        request,
        "plans/comments.html",
        form,
        plan=access.plan,
        access=access,
        on_draft=on_draft,
        number=version_number,
        about=chosen_label,
        threads=threads,
        may_comment=may_comment,
    )


def _visible_comments(request: HttpRequest, pk: int, *, on_draft: bool) -> QuerySet[Comment]:
    """Return the comments on the draft or on all versions that the person may read."""
    comments = Comment.objects.visible_to(request.user).filter(plan=pk)
    return comments.filter(version_number=0) if on_draft else comments.exclude(version_number=0)


def _open_thread(request: HttpRequest, pk: int, comment_pk: int) -> tuple[PlanAccess, Comment]:
    """Return the plan and the first comment of the thread of a comment; else 404."""
    access = open_plan(request, pk)
    comments = Comment.objects.visible_to(request.user).select_related("author", "parent", "plan")
    comment = get_object_or_404(comments, plan=pk, pk=comment_pk)
    return access, comment.parent or comment


def _address_of(comment: Comment) -> str:
    """Return the address of a thread on the page of comments."""
    route = "plans:draft-comments" if comment.is_on_draft else "plans:comments"
    return f"{reverse(route, kwargs={'pk': comment.plan_id})}#comment-{comment.pk}"


@require_http_methods(["GET", "HEAD", "POST"])
def reply_to_thread(request: HttpRequest, pk: int, comment: int) -> HttpResponse:
    """Show a thread with a form to reply. On POST, add the reply."""
    access, thread = _open_thread(request, pk, comment)
    if not _may_comment(access, thread.version_number):
        raise PermissionDenied

    form = CommentForm(post_data(request), reply=True)
    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToComment, field="text"):
            reply = add_comment(
                plan=access.plan,
                version_number=thread.version_number,
                text=form.cleaned_data["text"],
                parent=thread,
                author=signed_in(request),
                now=timezone.now(),
            )
            messages.success(request, f"Reply added.{_recipients_sentence(reply)}")
            return redirect(_address_of(thread))

    if thread.is_on_draft:
        log_opening(request, access, OpeningMethod.COMMENTS)
    return form_page(request, "plans/reply.html", form, plan=access.plan, thread=thread, back=_address_of(thread))


@require_POST
def resolve_thread(request: HttpRequest, pk: int, comment: int) -> HttpResponse:
    """Resolve a thread or, if the form says `resolved=no`, reopen the thread."""
    access, thread = _open_thread(request, pk, comment)
    require(not access.plan.is_over and access.rights is not None and access.rights.may_resolve(thread))
    resolved = request.POST.get("resolved") != "no"
    set_resolved(comment=thread, resolved=resolved, author=signed_in(request), now=timezone.now())
    messages.success(request, "Thread resolved." if resolved else "Thread reopened.")
    return redirect(_address_of(thread))
