"""Letters about plans: one function a letter."""

from __future__ import annotations

from partnerships.kit.letters import link, send_letter
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.links import sign_off_token
from partnerships.plans.models import AccessRequest, Mention, Plan, Share, Signatory


def send_sign_off_request(
    signatory: Signatory, lead: User, number: int, *, reminder: bool = False, again: bool = False
) -> bool:
    """Ask a lead to decide on a version; the link is theirs alone and only opens a page that asks."""
    asked_by = signatory.asked_by
    return send_letter(
        to=lead.email,
        template="plans/sign_off_request",
        context={
            "signatory": signatory,
            "organisation": signatory.organisation,
            "plan": signatory.plan,
            "person": lead,
            "number": number,
            "reminder": reminder,
            "again": again,
            "link": link("plans:sign-by-link", token=sign_off_token(signatory, lead, number)),
            "plan_link": link("plans:detail", pk=signatory.plan_id),
        },
        reply_to=asked_by.email if asked_by else "",
    )


def send_share(share: Share) -> bool:
    """Tell somebody by name that a draft is open to them; sent once, however often the draft is saved."""
    return send_letter(
        to=share.person.email,
        template="plans/share",
        context={
            "share": share,
            "plan": share.plan,
            "person": share.person,
            "sharer": share.shared_by,
            "link": link("plans:draft", pk=share.plan_id),
        },
        reply_to=share.shared_by.email if share.shared_by else "",
    )


def send_access_request(request: AccessRequest, plan: Plan, lead: User) -> bool:
    """Tell an owner's lead that somebody asks to see what is being prepared."""
    return send_letter(
        to=lead.email,
        template="plans/access_request",
        context={
            "request": request,
            "plan": plan,
            "asker": request.person,
            "lead": lead,
            "link": link("plans:sharing", pk=plan.pk),
        },
        reply_to=request.person.email,
    )


def send_not_shown(request: AccessRequest, author: User, organisation: Organisation | None, message: str) -> bool:
    """Tell somebody who asked that they are not shown it; in their own words, which may not be the plan's title."""
    return send_letter(
        to=request.person.email,
        template="plans/not_shown",
        context={
            "request": request,
            "asker": request.person,
            "author": author,
            "organisation": organisation,
            "message": message,
            "link": link("plans:list"),
        },
        reply_to=author.email,
    )


def send_mention(mention: Mention) -> bool:
    """Tell somebody that a comment calls on them; the letter holds none of its words, which may be restricted."""
    comment = mention.comment
    route = "plans:draft-comments" if comment.is_on_draft else "plans:comments"
    return send_letter(
        to=mention.person.email,
        template="plans/mention",
        context={
            "comment": comment,
            "plan": comment.plan,
            "person": mention.person,
            "writer": comment.author,
            "link": f"{link(route, pk=comment.plan_id)}#comment-{comment.parent_id or comment.pk}",
        },
        reply_to=comment.author.email,
    )
