"""Which personal data of this room is erased, and which is exported."""

from __future__ import annotations

from partnerships.people.personal import ErasureAction, Rule

RULES = (
    Rule(
        "conversations.Conversation", "created_by", ErasureAction.KEEP, "who wrote the record", ("subject", "held_on")
    ),
    Rule("conversations.Side", "agreed_by", ErasureAction.KEEP, "who agreed to the record", ("agreed_at",)),
    Rule("conversations.Attendee", "person", ErasureAction.KEEP, "who took part", ("job_title",)),
    Rule("conversations.Attendee", "job_title", ErasureAction.CLEAR, "job title when they took part"),
    Rule(
        "conversations.Point", "closed_by", ErasureAction.KEEP, "who closed the point", ("closed_reason", "closed_at")
    ),
    Rule(
        "conversations.PointEntry",
        "made_by",
        ErasureAction.KEEP,
        "who turned the point into an ask or offer",
        ("made_at",),
    ),
    # The text belongs to the organisation and is restricted; only author and time are personal.
    Rule(
        "conversations.PrivateNote",
        "written_by",
        ErasureAction.KEEP,
        "who wrote the organisation’s note",
        ("written_at",),
    ),
    Rule(
        "conversations.JournalNote",
        "written_by",
        ErasureAction.KEEP,
        "who wrote the organisation’s note",
        ("dated_on", "text", "written_at"),
    ),
    Rule("conversations.JournalNote", "deleted_by", ErasureAction.KEEP, "who deleted the note", ("deleted_at",)),
    Rule(
        "conversations.JournalText",
        "written_by",
        ErasureAction.KEEP,
        "who wrote an earlier version of the note",
        ("text", "written_at"),
    ),
    Rule(
        "conversations.Facilitator",
        "person",
        ErasureAction.KEEP,
        "who facilitated the partnership",
        ("named_at", "accepted_at", "ended_at"),
    ),
    Rule("conversations.Facilitator", "named_by", ErasureAction.KEEP, "who named a facilitator", ("named_at",)),
    Rule(
        "conversations.Facilitator",
        "ended_by",
        ErasureAction.KEEP,
        "who ended the role of facilitator",
        ("ended_at", "end_reason"),
    ),
    Rule("conversations.NextStep", "owner", ErasureAction.KEEP, "who owns the next step", ("text", "due_on")),
    Rule("conversations.MeetingCycle", "set_by", ErasureAction.KEEP, "who set the meeting cycle", ("set_at",)),
    Rule("conversations.Meeting", "created_by", ErasureAction.KEEP, "who planned the meeting", ("title", "starts_at")),
    Rule("conversations.Meeting", "attendance_by", ErasureAction.KEEP, "who recorded attendance", ("attendance_at",)),
    Rule(
        "conversations.MeetingSeat",
        "person",
        ErasureAction.KEEP,
        "who was invited and attended",
        ("answer", "attendance"),
    ),
    Rule(
        "conversations.MeetingSeat",
        "answered_by",
        ErasureAction.KEEP,
        "who said whether they are coming",
        ("answered_at",),
    ),
    Rule(
        "conversations.MeetingSeat",
        "job_title",
        ErasureAction.CLEAR,
        "job title when they were invited",
        person_field="person",
    ),
    Rule("conversations.AgendaItem", "presenter", ErasureAction.KEEP, "who presents the item"),
    Rule("conversations.AgendaItem", "added_by", ErasureAction.KEEP, "who added the item", ("title", "added_at")),
    Rule(
        "conversations.Attachment",
        "added_by",
        ErasureAction.KEEP,
        "who added the file",
        ("title", "file_name", "added_at"),
    ),
    Rule(
        "conversations.Attachment",
        "removed_by",
        ErasureAction.KEEP,
        "who removed the file",
        ("removed_reason", "removed_at"),
    ),
    Rule("conversations.Correction", "author", ErasureAction.KEEP, "who suggested the correction", ("text", "made_at")),
    Rule(
        "conversations.Correction",
        "answered_by",
        ErasureAction.KEEP,
        "who answered the correction",
        ("answer", "answered_at"),
    ),
    Rule(
        "conversations.ReportingRound",
        "set_up_by",
        ErasureAction.KEEP,
        "who set up the progress reports",
        ("period", "set_up_at"),
    ),
    # The text is the organisation's report to its partners.
    Rule(
        "conversations.ReportSubmission",
        "submitted_by",
        ErasureAction.KEEP,
        "who submitted the report",
        ("number", "submitted_at"),
    ),
    Rule(
        "conversations.ReportSubmission",
        "decided_by",
        ErasureAction.KEEP,
        "who accepted or returned the report",
        ("decision", "decided_at"),
    ),
)
