"""Help about asks, offers, matches and commitments."""

from __future__ import annotations

from partnerships.web.page_help.topic import EVERYDAY, Topic

TOPICS = (
    Topic(
        key="asks-and-offers",
        title="Asks and offers",
        does="This page shows what partners ask for and what they offer. It says how long each has waited and how many "
        "matches it has. As in every list, you can filter, choose columns and download files. “Yours” shows your "
        "organisations’ asks and offers, drafts first.",
        who=(
            (
                "Only the organisations that an ask or offer is for can read it. These can be named organisations, a "
                "partnership or the whole network."
            ),
            "Editors and leads can write asks and offers for their organisation.",
        ),
        guide=f"{EVERYDAY}#post-an-ask-or-an-offer",
        views="exchange:board exchange:list exchange:ours exchange:export exchange:saved web:organisation-entries",
    ),
    Topic(
        key="write-an-ask",
        title="Add an ask or offer",
        does="Here you say what you ask for or offer, how much, until when, and who can read it. Save the ask or "
        "offer as a draft, or share it straight away. Once you have shared it, you cannot change who can read it.",
        who=("Editors and leads can write, change and withdraw asks and offers of their organisation.",),
        guide=f"{EVERYDAY}#post-an-ask-or-an-offer",
        views="exchange:new exchange:edit exchange:withdraw",
    ),
    Topic(
        key="answer-an-ask",
        title="One ask or offer, and its answers",
        does="This page shows the ask or offer with its answers, questions, commitments and history. The organisations "
        "it is for can ask a question, or answer with all or part of it. They can also refer it to a colleague, or "
        "decline with a reason. An accepted answer becomes a commitment or starts a working group.",
        who=(
            "Editors and leads of an organisation that is asked can answer, but observers cannot.",
            "Editors and leads of the organisation that wrote the ask or offer can accept or decline answers.",
            "Only the two organisations can read an answer. Only your own organisation can see a referral.",
        ),
        guide=f"{EVERYDAY}#answer-an-ask-or-an-offer",
        views="exchange:detail exchange:respond exchange:decide exchange:decline exchange:refer exchange:ask-question "
        "exchange:answer-question exchange:withdraw-response exchange:agreed exchange:meet exchange:start-group",
    ),
    Topic(
        key="matches",
        title="Matches",
        does="This page shows which asks and offers fit together, and why. You can suggest an introduction to both "
        "organisations, or say that an ask and an offer do not match. We then no longer suggest that match to your "
        "organisation.",
        who=(
            "You see matches of asks and offers that you can read.",
            "Editors and leads can introduce organisations and dismiss matches.",
        ),
        guide="exchange/#matching",
        views="exchange:matches exchange:entry-matches exchange:introduce exchange:dismiss-match",
    ),
    Topic(
        key="commitments",
        title="Commitments",
        does=(
            "This page shows who promised what by when, how far they have got, and what is in the way. "
            "We keep the original due date beside later ones. A commitment counts once both organisations have "
            "confirmed it, and closes once the receiver has verified the delivery."
        ),
        who=(
            "People in the two organisations, and in other organisations of its partnership, can read a commitment.",
            "Editors and leads of both organisations can propose commitments.",
            "Editors and leads of the giving organisation can report progress and add evidence.",
            (
                "Leads of each organisation can confirm a commitment. The receiving organisation’s leads can verify "
                "the delivery or send it back."
            ),
        ),
        guide=f"{EVERYDAY}#keep-a-commitment",
        views="commitments:list commitments:reminders commitments:detail commitments:new commitments:edit "
        "commitments:confirm commitments:progress commitments:verify commitments:due-date commitments:owner "
        "commitments:escalate commitments:end commitments:attach commitments:evidence commitments:remove",
    ),
    Topic(
        key="give-and-take",
        title="Balance of asks and offers",
        does="This page compares what your organisation gave its partners with what it received, by partner and "
        "quarter.",
        who=("The balance counts only what you can read.",),
        guide="commitments/#balance-of-asks-and-offers",
        views="web:reciprocity web:reciprocity-partner",
    ),
    Topic(
        key="developer-agreements",
        title="Developer agreements",
        does="This page shows a planning authority’s section 106 agreements, with their contributions, what was paid, "
        "and the commitments that come from them.",
        who=(
            "Everyone signed in can read agreements, because the authority publishes them.",
            "Leads of the authority and administrators can add agreements and contributions, or import lists.",
        ),
        guide="importing/#developer-agreements",
        views="developer_agreements:detail developer_agreements:of-organisation open_data:enter-agreement "
        "open_data:enter-contribution",
    ),
)
