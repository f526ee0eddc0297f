"""Which personal data of this room is erased, and which is exported."""

from __future__ import annotations

from partnerships.people.personal import Fate, Rule

RULES = (
    Rule("conversations.Conversation", "created_by", Fate.KEEP, "who wrote the record", ("subject", "held_on")),
    Rule("conversations.Side", "agreed_by", Fate.KEEP, "who agreed to the record", ("agreed_at",)),
    Rule("conversations.Attendee", "person", Fate.KEEP, "who took part", ("job_title",)),
    Rule("conversations.Attendee", "job_title", Fate.CLEAR, "job title when they took part"),
    Rule("conversations.Point", "closed_by", Fate.KEEP, "who closed it", ("closed_reason", "closed_at")),
    Rule("conversations.PointEntry", "made_by", Fate.KEEP, "who turned it into an ask or offer", ("made_at",)),
    # The text belongs to the organisation and is restricted; only author and time are personal.
    Rule("conversations.PrivateNote", "written_by", Fate.KEEP, "who wrote their organisation's note", ("written_at",)),
    Rule(
        "conversations.JournalNote",
        "written_by",
        Fate.KEEP,
        "who wrote their organisation's note",
        ("dated_on", "text", "written_at"),
    ),
    Rule("conversations.JournalNote", "deleted_by", Fate.KEEP, "who deleted the note", ("deleted_at",)),
    Rule("conversations.JournalText", "written_by", Fate.KEEP, "who wrote an earlier text", ("text", "written_at")),
    Rule(
        "conversations.Facilitator", "person", Fate.KEEP, "who facilitated it", ("named_at", "accepted_at", "ended_at")
    ),
    Rule("conversations.Facilitator", "named_by", Fate.KEEP, "who named a facilitator", ("named_at",)),
    Rule("conversations.Facilitator", "ended_by", Fate.KEEP, "who ended it", ("ended_at", "end_reason")),
    Rule("conversations.NextStep", "owner", Fate.KEEP, "who owns it", ("text", "due_on")),
    Rule("conversations.MeetingCycle", "set_by", Fate.KEEP, "who set the meeting cycle", ("set_at",)),
    Rule("conversations.Meeting", "created_by", Fate.KEEP, "who planned the meeting", ("title", "starts_at")),
    Rule("conversations.Meeting", "attendance_by", Fate.KEEP, "who recorded attendance", ("attendance_at",)),
    Rule("conversations.MeetingSeat", "person", Fate.KEEP, "who was invited and attended", ("answer", "attendance")),
    Rule("conversations.MeetingSeat", "answered_by", Fate.KEEP, "who said whether they are coming", ("answered_at",)),
    Rule("conversations.MeetingSeat", "job_title", Fate.CLEAR, "job title when they were invited", whose="person"),
    Rule("conversations.AgendaItem", "presenter", Fate.KEEP, "who presents the item"),
    Rule("conversations.AgendaItem", "added_by", Fate.KEEP, "who added the item", ("title", "added_at")),
    Rule("conversations.Attachment", "added_by", Fate.KEEP, "who added it", ("title", "file_name", "added_at")),
    Rule("conversations.Attachment", "removed_by", Fate.KEEP, "who removed it", ("removed_reason", "removed_at")),
    Rule("conversations.Correction", "author", Fate.KEEP, "who suggested it", ("text", "made_at")),
    Rule("conversations.Correction", "answered_by", Fate.KEEP, "who answered it", ("answer", "answered_at")),
    Rule("conversations.ReportingRound", "set_up_by", Fate.KEEP, "who set up reports", ("period", "set_up_at")),
    # The text is the organisation's report to its partners.
    Rule("conversations.ReportSubmission", "submitted_by", Fate.KEEP, "who submitted it", ("number", "submitted_at")),
    Rule("conversations.ReportSubmission", "decided_by", Fate.KEEP, "who decided on it", ("decision", "decided_at")),
)
