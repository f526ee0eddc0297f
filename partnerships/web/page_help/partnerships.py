"""Help about partnerships: their terms, people, dates, objectives, documents and meetings."""

from __future__ import annotations

from partnerships.web.page_help.topic import EVERYDAY, SAME_AS_PARTNERSHIP, Topic

TOPICS = (
    Topic(
        key="partnership",
        title="A partnership",
        does="This page shows what a partnership is for, whose turn it is, what is open, and the partners’ objectives, "
        "obstacles and opportunities. The tabs lead to its terms, people, plans, commitments and meetings. History "
        "lists every step.",
        who=(
            "People in organisations that take part or are invited can read the partnership’s pages.",
            (
                "If its leads have chosen this, everyone signed in can read its title, kind, purpose, areas, "
                "organisations and status."
            ),
            "People of an organisation that has left can read everything up to the day it left.",
            "Leads of the chair or of a lead organisation can change its status and settings.",
        ),
        guide=f"{EVERYDAY}#start-a-partnership",
        views="agreements:detail agreements:list agreements:history agreements:edit agreements:status "
        "web:partnership-entries web:partnership-plans web:partnership-commitments web:partnership-conversations",
    ),
    Topic(
        key="start-a-partnership",
        title="Start a partnership",
        does="Here you start a partnership, with your organisation as its chair. Give it a title and say what kind it "
        "is. The terms, dates and other organisations come afterwards.",
        who=("Leads can start a partnership for their organisation.",),
        guide=f"{EVERYDAY}#start-a-partnership",
        views="agreements:create",
    ),
    Topic(
        key="members",
        title="Who takes part",
        does="This page shows the organisations that take part, were invited, declined or left. Here you can invite "
        "organisations, change their role and leave. We email an invitation to the leads of the organisation.",
        who=(
            "Leads of the chair or of a lead organisation can invite and remove organisations and change their roles.",
            "Leads of the invited organisation can accept or decline.",
            (
                "Leads can take their own organisation out of the partnership. If the terms ask for "
                "notice, they give notice instead."
            ),
        ),
        guide=f"{EVERYDAY}#start-a-partnership",
        views="agreements:members agreements:invite agreements:answer agreements:party-role agreements:party-remove "
        "agreements:leave",
    ),
    Topic(
        key="terms",
        title="The terms of a partnership",
        does="This page shows the terms in force, on any day, the drafts and proposals, and who has signed. The terms "
        "change only when every party has signed the same version. Each version stays as it was signed. You can "
        "compare, print and download versions.",
        who=(
            "People of organisations that take part or are invited can read published versions.",
            "Editors and leads of these organisations can also read drafts.",
            "Editors and leads of organisations in the partnership can change a draft, but observers cannot.",
            "Leads of an organisation that has signed can propose an amendment.",
            "They can send it for signature, and so can leads of the chair or of a lead organisation.",
        ),
        guide=f"{EVERYDAY}#agree-and-sign-the-terms",
        views="agreements:terms agreements:terms-about agreements:terms-add agreements:terms-item "
        "agreements:terms-remove agreements:terms-compare agreements:terms-version agreements:terms-print "
        "agreements:terms-pdf agreements:terms-word agreements:proposal agreements:propose "
        "agreements:send-for-signature agreements:take-back agreements:withdraw",
    ),
    Topic(
        key="sign-terms",
        title="Sign the terms",
        does="This page shows the version that needs signatures. Here you can sign it, or decline with a reason. A "
        "signature belongs to one version. You can record a signature on paper with a scan.",
        who=(
            "The organisation’s signatory signs. If there is no signatory, its leads sign.",
            "You can sign through the link in the email, without signing in.",
            "If the organisation requires a second factor or its own sign-in page, you sign in first.",
            (
                "Leads of the organisation that signed, or of the chair or a lead organisation, "
                "can record a signature on paper."
            ),
        ),
        guide=f"{EVERYDAY}#agree-and-sign-the-terms",
        views="agreements:terms-sign agreements:terms-paper agreements:sign-by-link",
    ),
    Topic(
        key="dates",
        title="Dates of a partnership",
        does="This page shows when the partnership starts, is reviewed and ends, who has given notice, and any days "
        "that no agreement covers. Dates take effect automatically, and we email the leads beforehand.",
        who=(
            "People of organisations that take part or are invited can read the dates.",
            ("Leads can give and withdraw notice for their organisation, and choose which dates they are reminded of."),
        ),
        guide=f"{EVERYDAY}#agree-and-sign-the-terms",
        views="agreements:dates agreements:date-reminders agreements:notice agreements:notice-withdraw",
    ),
    Topic(
        key="posts",
        title="People and posts",
        does="This page shows who to speak to in each organisation. You see its lead, and its contacts by role, such "
        "as finance or nominations. A post can be vacant. When someone leaves, the post and its history stay.",
        who=(
            (
                "Colleagues can see your organisation’s contacts, and partners can see those for the "
                "partnerships that you share."
            ),
            "Editors and leads can create, fill and end posts in their organisation.",
            "Only leads can fill the posts of lead and signatory.",
            "People who hold a post can change their own contact details, and can give it up.",
        ),
        guide=f"{EVERYDAY}#say-who-is-responsible",
        views="agreements:people agreements:contacts agreements:contact-data agreements:post agreements:post-create "
        "agreements:partnership-post-create agreements:post-end agreements:post-fill agreements:holder-contact "
        "agreements:holder-vacate",
    ),
    Topic(
        key="objectives",
        title="Objectives",
        does="This page shows what the partnership wants to achieve, with a figure and a date. Each objective has "
        "reports of progress, and the commitments, plans and asks that serve it.",
        who=(
            SAME_AS_PARTNERSHIP,
            (
                "Editors and leads of organisations in the partnership can add objectives, change "
                "them with a reason and report progress."
            ),
            "Observers can only read objectives.",
        ),
        guide=f"{EVERYDAY}#set-objectives",
        views="agreements:objectives agreements:objective agreements:objective-add agreements:objective-edit "
        "agreements:objective-link agreements:objective-progress agreements:objective-status",
    ),
    Topic(
        key="documents",
        title="Documents of a partnership",
        does="This page lists the files of the partnership. Here you can add and remove files. A file marked as "
        "personal data opens only while a signed data-sharing agreement is in force.",
        who=(
            SAME_AS_PARTNERSHIP,
            (
                "Editors and leads of organisations in the partnership can add documents, and remove "
                "those that their own organisation added."
            ),
        ),
        guide="partnerships/",
        views="agreements:documents agreements:document-list agreements:document-add agreements:document-download "
        "agreements:document-remove",
    ),
    Topic(
        key="meetings",
        title="Meetings",
        does="This page shows the next meetings of a partnership, who came to past meetings, and how often the "
        "partners meet. Each meeting has papers, attendance, minutes and an agenda, which begins with the partners’ "
        "open work.",
        who=(
            "People in the organisations that take part, observers included, can read about meetings.",
            "Leads of the chair or of a lead organisation can set how often the partnership meets.",
            (
                "Editors and leads of organisations in the partnership can plan a meeting, write the "
                "agenda, record who came and write the minutes."
            ),
            "Everyone who is invited can say whether they are coming.",
        ),
        guide=f"{EVERYDAY}#hold-a-meeting",
        views="conversations:meeting conversations:meetings conversations:meeting-list conversations:meeting-new "
        "conversations:meeting-edit conversations:meeting-answer conversations:meeting-call-off "
        "conversations:meeting-cycle conversations:meeting-cycle-stop conversations:agenda "
        "conversations:agenda-circulate conversations:agenda-paper conversations:attendance conversations:minutes "
        "conversations:paper-add",
    ),
    Topic(
        key="conversations",
        title="Conversations",
        does="This page shows what people said, who was there, each organisation’s objectives, obstacles and "
        "opportunities, and what comes next. Every organisation gets the record, can correct it and agrees to "
        "it. After that the record does not change. You can turn an obstacle into an ask, and an opportunity into an "
        "offer.",
        who=(
            (
                "The organisations that took part can read the record. Only the organisation that "
                "writes it can read the draft."
            ),
            (
                "Editors and leads can write up a conversation, circulate the record, correct it and "
                "agree to it for their organisation."
            ),
            "Only your own organisation can read a private note.",
        ),
        guide=f"{EVERYDAY}#record-a-conversation",
        views="conversations:detail conversations:list conversations:new conversations:edit conversations:circulate "
        "conversations:correct conversations:answer conversations:agree conversations:cancel conversations:close "
        "conversations:become conversations:note conversations:file conversations:file-add conversations:file-remove",
    ),
    Topic(
        key="journal",
        title="Journal",
        does="This page shows your organisation’s own notes about a partnership or another organisation. We keep "
        "earlier versions of a note.",
        who=("Only people of the organisation that wrote a note can read it.", "Editors and leads can write notes."),
        guide=f"{EVERYDAY}#record-a-conversation",
        views="conversations:journal conversations:journal-new conversations:journal-edit conversations:journal-note "
        "conversations:journal-delete",
    ),
    Topic(
        key="progress-reports",
        title="Progress reports",
        does="This page shows what each party has reported for each period. A report starts with the commitments, "
        "objectives, homes, milestones, asks and terms that Common Ground already has. The party submits the report, "
        "and a lead of the partnership accepts it or returns it with a reason.",
        who=(
            SAME_AS_PARTNERSHIP,
            (
                "Leads of the chair or of a lead organisation can set up progress reports, and accept "
                "or return those of others."
            ),
            "Editors and leads of the organisation that reports can write and submit a report, but observers cannot.",
            "Only people in the organisation that reports can read a draft.",
        ),
        guide="reports/",
        views="conversations:report conversations:report-compare conversations:report-decide "
        "conversations:report-submit conversations:report-write conversations:reporting conversations:reporting-end "
        "conversations:reports conversations:reports-csv conversations:reports-period",
    ),
    Topic(
        key="facilitators",
        title="Facilitators and what is stuck",
        does="A facilitator helps a partnership, or the organisations in an ask or offer, make progress. The page "
        "lists what has waited too long, but only what the facilitator can read. Being a facilitator does not let you "
        "sign or answer.",
        who=(
            (
                "Leads of the chair or of a lead organisation can name a facilitator for the partnership. That person "
                "can accept or decline."
            ),
            (
                "Editors and leads of the organisation that shared an ask or offer can name a "
                "facilitator who can already read it."
            ),
            "The facilitator can stop at any time. Anyone who can name a facilitator can also end the role.",
            "Leads of the chair or of a lead organisation also see what is stuck, but only what they can read.",
        ),
        guide="conversations/",
        views="conversations:facilitation conversations:facilitation-end conversations:facilitator-name "
        "conversations:stuck exchange:name-facilitator exchange:end-facilitator",
    ),
)
