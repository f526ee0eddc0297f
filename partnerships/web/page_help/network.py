"""Help about organisations, the network, reports, surveys, nominations and files."""

from __future__ import annotations

from partnerships.web.page_help.topic import EVERYDAY, Topic

TOPICS = (
    Topic(
        key="organisations",
        title="Organisations",
        does="The directory lists councils, housing associations and others, with earlier names, identifiers, areas, "
        "predecessors and successors. An organisation’s page shows its people, partnerships, asks, offers and plans, "
        "if you can read them.",
        who=(
            "Everyone signed in can read the directory.",
            "Leads can change the website, short name and sign-in settings of their organisation.",
            "Administrators can correct details that came from registers.",
        ),
        guide="successions/",
        views="organisations:list organisations:detail organisations:suggest organisations:settings "
        "organisations:who-answers web:group web:predecessors",
    ),
    Topic(
        key="people-of-an-organisation",
        title="People of an organisation",
        does="This page shows who acts for an organisation, as viewer, editor or lead. Here you can invite people, "
        "change their roles and end memberships. When somebody leaves, their work stays on this page until a "
        "colleague takes it over.",
        who=(
            "Leads can invite colleagues, change roles and end memberships in their organisation.",
            "Administrators can also do this, but must enter a reason.",
            "Anyone can leave an organisation themselves.",
        ),
        guide=f"{EVERYDAY}#invite-colleagues",
        views="organisations:people organisations:invite organisations:member-edit organisations:member-end "
        "organisations:leave organisations:without-owner",
    ),
    Topic(
        key="ask-for-access",
        title="Ask for access",
        does="Here you ask an administrator to add your organisation, or to let you act for one that nobody acts for "
        "yet. Administrators answer requests here, and the person gets an invitation by email.",
        who=("Anyone can ask, signed in or not.", "Administrators can accept or decline, with a reason."),
        guide="accounts/#by-asking",
        views="organisations:ask organisations:requests organisations:accept-request organisations:decline-request",
    ),
    Topic(
        key="successions",
        title="Successions",
        does="This page shows mergers, new councils and transfers of functions. Handover lines say who takes over what "
        "from each predecessor. Nobody gets new access before vesting day. From that day, access follows the handover "
        "lines.",
        who=(
            "Anyone who is signed in can read successions. Anyone at all can read the list of those still to come.",
            "Administrators can record and correct them.",
            "Leads of the predecessor can say who takes over. Leads of the successors can accept or dispute this.",
        ),
        guide="successions/#handover-lines",
        views="organisations:succession organisations:record-succession organisations:correct-succession "
        "organisations:succession-status organisations:take-effect organisations:undo-succession "
        "organisations:add-tie organisations:remove-tie organisations:pending organisations:pending-csv "
        "organisations:pending-feed organisations:handover organisations:handover-answer "
        "organisations:handover-consent organisations:handover-propose",
    ),
    Topic(
        key="duplicates",
        title="Duplicates",
        does="This page shows pairs of records that may be the same organisation. You can merge two records, and undo "
        "a merge. Once you say that two records are not the same, we no longer list them.",
        who=("Only administrators can merge records. They must enter a reason.",),
        guide="successions/#duplicates",
        views="organisations:duplicates organisations:merge organisations:not-the-same organisations:undo-merge",
    ),
    Topic(
        key="network",
        title="Network",
        does="This page shows who works together, as a picture and as a table, and which partnerships two "
        "organisations share.",
        who=("The pages show only partnerships that you can see.",),
        guide="reports-room/#network",
        views="web:network web:network-partners web:network-pair",
    ),
    Topic(
        key="brief",
        title="Brief before a meeting",
        does="A brief puts on one page what you need to know before you meet a partner. It has both organisations’ "
        "asks and offers, promises kept and missed, plans and the last conversation. You can print the brief or "
        "download it as PDF.",
        who=(
            "People who act for an organisation get a brief about their partners.",
            "The brief shows only what you can read.",
        ),
        guide="conversations/#the-brief",
        views="web:brief web:brief-pdf",
    ),
    Topic(
        key="reports",
        title="Reports and dashboards",
        does="Each report is a page with filters, tables and charts, which you can download as PDF, Word or Excel. "
        "The page says where its figures come from. You can freeze a report under a name, compare it with later "
        "figures, and schedule emails of it.",
        who=(
            "Everyone signed in can read reports. A report counts only what the reader can read.",
            (
                "Editors and leads can freeze and schedule reports for an organisation or a partnership. The people of "
                "that organisation or partnership can read these reports."
            ),
        ),
        guide=f"{EVERYDAY}#make-a-report",
        views="reports:index reports:report reports:file reports:dashboard reports:organisation-dashboard "
        "reports:partnership-dashboard reports:freeze reports:frozen reports:frozen-file reports:frozen-list "
        "reports:compare reports:schedule reports:schedules reports:set-up reports:made-file "
        "reports:made-file-download",
    ),
    Topic(
        key="recommendations",
        title="Recommendations",
        does="This page shows what published reports recommend, who should act, what each organisation says it is "
        "doing, and the evidence. A partnership can adopt a recommendation and turn it into objectives and "
        "commitments.",
        who=(
            "Everyone signed in can read recommendations, and the status and reason of each response.",
            "You see evidence only if you can read the record that it links to.",
            "Editors and leads can respond for their organisation.",
            "People in a partnership’s organisations can read what it is doing about recommendations.",
        ),
        guide="recommendations/",
        views="recommendations:list recommendations:detail recommendations:source recommendations:sources "
        "recommendations:addressees recommendations:coverage recommendations:moved recommendations:of-organisation "
        "recommendations:of-partnership recommendations:respond recommendations:response recommendations:evidence-add "
        "recommendations:propose recommendations:adopt recommendations:adoption recommendations:drop "
        "recommendations:outcome-link",
    ),
    Topic(
        key="surveys",
        title="Surveys of a partnership",
        does="A survey asks people how the partnership is doing. It is anonymous, or by name if there are too few "
        "people for that. We publish the results the morning after the last day. An anonymous survey shows only groups "
        "that are large enough. Partners can use the results to set objectives, ask for help or make commitments.",
        who=(
            "Leads of organisations in the partnership can prepare and open a survey, and add the people to ask.",
            (
                "Nobody can see answers while the survey is open. In an anonymous survey nobody ever "
                "sees who answered what."
            ),
            (
                "In a survey by name, people in these organisations can read each answer and who gave "
                "it once the survey is over."
            ),
            "One person outside these organisations reads anonymous comments first, and decides which are shown.",
        ),
        guide="surveys/#run-a-survey",
        views="surveys:overview surveys:detail surveys:prepare surveys:invite surveys:ask-partnership surveys:end "
        "surveys:link surveys:pdf surveys:agree surveys:moderate surveys:name",
    ),
    Topic(
        key="answer-a-survey",
        title="Answer a survey",
        does="You reach this page through the link in your email. Answer the questions and send your answers. You do "
        "not need an account. You can answer an anonymous survey once, and nobody can find out what you answered. In a "
        "survey by name you can change your answers until it is over.",
        who=(
            "The person who was sent the link can answer.",
            "People of the partnership can read answers by name once the survey is over.",
        ),
        guide="surveys/#how-answers-stay-anonymous",
        views="surveys:answer surveys:answer-by-name surveys:thanks",
    ),
    Topic(
        key="nominations",
        title="Nominations",
        does="This page shows what a council and a provider agreed about lettings, and the returns of each quarter. "
        "The provider uploads its CORE export, adds what is missing, and sends the return. The council confirms or "
        "disputes each line.",
        who=(
            "We show figures only while a signed data-sharing agreement is in force.",
            (
                "The provider sees every figure, and so does the council once a return has been "
                "sent. Other organisations in the partnership cannot see small numbers."
            ),
            (
                "Editors and leads of the provider can fill in and send returns. Those of the council can confirm or "
                "dispute them."
            ),
        ),
        guide="nominations/#the-return",
        views="nominations:detail nominations:start nominations:upload nominations:progress nominations:complete "
        "nominations:return nominations:rows nominations:csv nominations:send nominations:decide nominations:record "
        "nominations:reopen",
    ),
    Topic(
        key="spreadsheets",
        title="Import from a spreadsheet",
        does="Here you can import many sites, commitments, asks, contacts or stakeholders at once, from a file or "
        "pasted rows. Download the template first. A preview shows what would change. Nothing changes before you "
        "confirm. We collect the rows that we cannot use in a file for you to correct.",
        who=("You can import what you could enter by hand, and export what you can read.",),
        guide="spreadsheets/",
        views="spreadsheets:record spreadsheets:new spreadsheets:headings spreadsheets:upload spreadsheets:set-aside "
        "spreadsheets:template spreadsheets:export",
    ),
    Topic(
        key="imports",
        title="Import published lists",
        does="Here you can import a published list of your authority, such as local plans, developer agreements or "
        "brownfield land. A preview shows what would change. Nothing changes before you confirm.",
        who=(
            "Editors and leads of the authority can upload its lists. Only its leads can import them.",
            "Administrators can import all other lists.",
        ),
        guide="importing/#import-your-own-authority-s-files",
        views="transfer:own transfer:own-upload transfer:own-headings transfer:own-run transfer:own-set-aside",
    ),
    Topic(
        key="open-data",
        title="Open data",
        does="Here a council publishes the files that planning data standards require. They are plans, agreements and "
        "sites, at fixed addresses.",
        who=(
            "Anyone can read published files, signed in or not.",
            "Leads of the council and administrators can start and stop publishing, with a reason.",
        ),
        guide="open-data/",
        views="open_data:index open_data:of-organisation open_data:file open_data:publishing",
    ),
    Topic(
        key="reconciliation",
        title="Match names from your own list",
        does="This public service finds the organisation behind a name in your own list, including by earlier names. "
        "The service works with OpenRefine and with other software.",
        who=(
            (
                "Anyone can use the service, without an account. The service gives only names, identifiers, dates and "
                "successors."
            ),
        ),
        guide="reconciliation/#in-openrefine",
        views="reconciliation:about reconciliation:body reconciliation:preview reconciliation:flyout "
        "reconciliation:propose reconciliation:root reconciliation:root-old reconciliation:suggest",
    ),
)
