"""Register the events of partnerships and posts that followers are notified about, and say why others are left out."""

from __future__ import annotations

from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import Group, NoticeRule, register_follower_notice, register_without_notice
from partnerships.activity.subjects import Audience
from partnerships.agreements.event_kinds import EventKind


def register() -> None:
    """Register every kind of event of this room. Called once at start-up."""
    _register_status_and_dates()
    _register_parties()
    _register_terms()
    _register_objectives()
    _register_documents_and_posts()
    register_without_notice(
        [EventKind.REMINDERS_CHOSEN],
        because="reminders concern only the organisation that chose them",
    )
    register_without_notice(
        [EventKind.TERMS_DRAFTED, EventKind.TERMS_DRAFT_UPDATED],
        because="followers are notified of a draft when it is sent for signature",
    )
    register_without_notice(
        [EventKind.POST_CONTACT_REMOVED], because="no email should draw attention to personal data that was removed"
    )
    register_without_notice(
        [EventKind.OBJECTIVE_LINKED, EventKind.OBJECTIVE_UNLINKED],
        because="followers are notified of changes to the linked record itself",
    )


def _register_status_and_dates() -> None:
    """Register status, settings, notices and dates.

    Stakeholders without an account are notified of the status only.
    """
    status, dates, outside = Group.STATUS, Group.DATES, Audience.OUTSIDE
    register_follower_notice(EventKind.OPENED, group=status, fold=FoldRule.CREATED, audience=outside)
    register_follower_notice(
        EventKind.STATUS_CHANGED,
        group=status,
        fold=FoldRule.FIELDS,
        sentence="Changed the status{change}",
        audience=outside,
    )
    register_follower_notice(
        EventKind.COVER_GAP, group=status, fold=FoldRule.LAST, sentence="Started after days without cover{names}"
    )
    register_follower_notice(
        EventKind.SUCCESSOR_OPENED, group=status, fold=FoldRule.LAST, sentence="Started a successor{names}"
    )
    register_follower_notice(
        EventKind.GROUP_STARTED, group=status, fold=FoldRule.EACH, sentence="Started a working group{names}"
    )
    register_follower_notice(
        EventKind.SETTINGS_CHANGED, group=status, fold=FoldRule.FIELDS, sentence="Changed the settings{field}{change}"
    )
    for kind, fold in ((EventKind.NOTICE_GIVEN, FoldRule.CREATED), (EventKind.NOTICE_WITHDRAWN, FoldRule.REMOVED)):
        register_follower_notice(
            kind,
            group=dates,
            fold=fold,
            sentence=f"{kind.label}{{names}}",
            subject_key="notice",
            touches_dates_or_money=True,
        )
    for kind in (EventKind.REVIEW_NEAR, EventKind.END_NEAR):
        register_follower_notice(
            kind, group=dates, fold=FoldRule.LAST, sentence=f"{kind.label}{{names}}", touches_dates_or_money=True
        )


def _register_parties() -> None:
    """Register changes of parties.

    Only parties are notified about invitations. Stakeholders without an account are notified about organisations that
    join or leave.
    """
    notices = {
        EventKind.PARTY_INVITED: NoticeRule(FoldRule.CREATED, slots="{names}"),
        EventKind.INVITATION_ACCEPTED: NoticeRule(FoldRule.CREATED, slots="{names}", audience=Audience.OUTSIDE),
        EventKind.INVITATION_DECLINED: NoticeRule(FoldRule.REMOVED, slots="{names}"),
        EventKind.INVITATION_WITHDRAWN: NoticeRule(FoldRule.REMOVED, slots="{names}"),
        EventKind.PARTY_LEFT: NoticeRule(FoldRule.REMOVED, slots="{names}", audience=Audience.OUTSIDE),
        EventKind.PARTY_REMOVED: NoticeRule(FoldRule.REMOVED, slots="{names}", audience=Audience.OUTSIDE),
    }
    for kind, rule in notices.items():
        register_follower_notice(
            kind,
            group=Group.PARTIES,
            fold=rule.fold,
            sentence=f"{kind.label}{rule.slots}",
            subject_key="party",
            audience=rule.audience,
        )
    register_follower_notice(
        EventKind.PARTY_ROLE_CHANGED,
        group=Group.PARTIES,
        fold=FoldRule.FIELDS,
        sentence="Changed an organisation’s role{change}",
        subject_key="party",
    )


def _register_terms() -> None:
    """Register terms. Stakeholders without an account are notified when terms are agreed or in force, not of drafts."""
    terms = Group.TERMS
    register_follower_notice(EventKind.TERMS_CHANGED, group=terms, fold=FoldRule.LAST, touches_dates_or_money=True)
    register_follower_notice(EventKind.AMENDMENT_PROPOSED, group=terms, fold=FoldRule.CREATED, subject_key="proposal")
    register_follower_notice(EventKind.AMENDMENT_WITHDRAWN, group=terms, fold=FoldRule.REMOVED, subject_key="proposal")
    # If a version is returned to draft or not signed in time, followers need no notice of the request to sign it.
    register_follower_notice(EventKind.TERMS_SENT, group=terms, fold=FoldRule.CREATED, subject_key="number")
    register_follower_notice(EventKind.TERMS_TAKEN_BACK, group=terms, fold=FoldRule.REMOVED, subject_key="number")
    register_follower_notice(EventKind.TERMS_LAPSED, group=terms, fold=FoldRule.REMOVED, subject_key="number")
    for kind in (EventKind.TERMS_SIGNED, EventKind.TERMS_SIGNED_ON_PAPER, EventKind.TERMS_DECLINED):
        register_follower_notice(
            kind, group=terms, fold=FoldRule.EACH, sentence=f"{kind.label}{{names}}", subject_key="number"
        )
    register_follower_notice(EventKind.TERMS_ACCEPTED, group=terms, fold=FoldRule.LAST, subject_key="number")
    register_follower_notice(
        EventKind.TERMS_AGREED,
        group=terms,
        fold=FoldRule.LAST,
        sentence="Every party signed the terms{names}",
        subject_key="number",
        touches_dates_or_money=True,
        audience=Audience.OUTSIDE,
    )
    register_follower_notice(
        EventKind.TERMS_IN_FORCE,
        group=terms,
        fold=FoldRule.LAST,
        subject_key="number",
        touches_dates_or_money=True,
        audience=Audience.OUTSIDE,
    )


def _register_objectives() -> None:
    """Register objectives. Several changes of one objective become one line."""
    group = Group.OBJECTIVES
    register_follower_notice(EventKind.OBJECTIVE_ADDED, group=group, fold=FoldRule.CREATED, subject_key="objective")
    register_follower_notice(
        EventKind.OBJECTIVE_CHANGED,
        group=group,
        fold=FoldRule.FIELDS,
        sentence="Changed an objective{field}{change}",
        subject_key="objective",
        touches_dates_or_money=True,
    )
    register_follower_notice(
        EventKind.OBJECTIVE_STATUS,
        group=group,
        fold=FoldRule.FIELDS,
        sentence="Changed the status of an objective{change}",
        subject_key="objective",
    )
    register_follower_notice(
        EventKind.OBJECTIVE_PROGRESS,
        group=group,
        fold=FoldRule.FIELDS,
        sentence="Reported progress on an objective{field}{change}",
        subject_key="objective",
    )


def _register_documents_and_posts() -> None:
    """Register documents and posts.

    A document that was added and removed gives no line. A post gives one line for its newest change.
    """
    documents = {
        EventKind.DOCUMENT_ADDED: FoldRule.CREATED,
        EventKind.DOCUMENT_REMOVED: FoldRule.REMOVED,
        EventKind.DOCUMENT_RESTORED: FoldRule.CREATED,
    }
    for kind, fold in documents.items():
        register_follower_notice(
            kind, group=Group.DOCUMENTS, fold=fold, sentence=f"{kind.label}{{names}}", subject_key="file"
        )
    posts = {
        EventKind.POST_CREATED: FoldRule.CREATED,
        EventKind.POST_FILLED: FoldRule.LAST,
        EventKind.POST_VACATED: FoldRule.LAST,
        EventKind.POST_CONTACT_CHANGED: FoldRule.LAST,
        EventKind.POST_CORRECTED: FoldRule.LAST,
        EventKind.HOLDER_CORRECTED: FoldRule.LAST,
        EventKind.POST_ENDED: FoldRule.REMOVED,
    }
    for kind, fold in posts.items():
        register_follower_notice(kind, group=Group.CONTACTS, fold=fold)
