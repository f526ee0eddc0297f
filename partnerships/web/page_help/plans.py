"""Help about plans: reading, drafting, publishing, sharing, signing, owners."""

from __future__ import annotations

from partnerships.web.page_help.topic import EVERYDAY, Topic

TOPICS = (
    Topic(
        key="plans",
        title="Plans",
        does="This page lists the plans that you can read, or their sites, milestones and documents. As in every "
        "list, you can filter, choose columns and download files.",
        who=("The owners choose whether only they, the plan’s partnership, the network or everyone can read a plan.",),
        guide=f"{EVERYDAY}#share-a-plan",
        views="plans:list plans:sites plans:milestones plans:documents plans:public web:organisation-plans",
    ),
    Topic(
        key="read-a-plan",
        title="One plan",
        does="This page shows the newest version that you can read, or the draft if there is no version yet. The "
        "history has all versions. A published version never changes. You can print versions, or download them as PDF "
        "or Word.",
        who=(
            "People in the organisations that own the plan, or take part in its partnership, can read everything.",
            "Others cannot see confidential sites or restricted text.",
            "Organisations that have left the partnership can read what was published up to the day they left.",
        ),
        guide=f"{EVERYDAY}#share-a-plan",
        views="plans:detail plans:version plans:version-by-id plans:history plans:paper plans:pdf plans:word plans:map "
        "plans:document plans:propose",
    ),
    Topic(
        key="compare-plans",
        title="Compare two versions of a plan",
        does="This page shows what changed between two versions, in words and figures. You see what it was, what it is "
        "now, who changed it and when. You can print the comparison, or download it as PDF or spreadsheet.",
        who=("Everyone can compare the versions that they can read.",),
        guide=f"{EVERYDAY}#share-a-plan",
        views="plans:compare plans:compare-csv plans:compare-paper plans:compare-pdf",
    ),
    Topic(
        key="draft-a-plan",
        title="Draft a plan",
        does="This page shows the draft, with a link to change each piece. The pieces are texts, sites with their "
        "homes, milestones, outcomes, risks and files. Several people can work on the draft at once. If two people "
        "change the same piece, the second sees both texts. Readers see no change before you publish.",
        who=(
            "Editors and leads in an organisation that owns the plan can start and change drafts.",
            "Leads in an organisation that owns the plan can publish them.",
        ),
        guide=f"{EVERYDAY}#share-a-plan",
        views="plans:create plans:draft plans:draft-map plans:draft-paper plans:draft-pdf plans:preview plans:add-item "
        "plans:edit-item plans:edit-about plans:remove-item plans:add-document plans:discard",
    ),
    Topic(
        key="publish-a-plan",
        title="Publish a plan",
        does="Here you publish the draft as the next version, with a note that says what changed and why. We tell "
        "followers what the note says. We ask signatories again about each later version, unless it is minor. "
        "On two other pages you can change the plan’s status, and who can read published versions.",
        who=(
            (
                "Leads in an organisation that owns the plan can publish it. A lead of one owner is enough, and we "
                "tell all owners."
            ),
        ),
        guide=f"{EVERYDAY}#share-a-plan",
        views="plans:publish plans:status plans:audience plans:milestone",
    ),
    Topic(
        key="share-a-draft",
        title="Show a draft to named people",
        does="Here you can let certain people read the draft, or comment on it, until a day that you choose. The page "
        "says who has opened the draft. People of the partnership can ask to see a draft.",
        who=(
            (
                "Editors and leads in an organisation that owns the plan can share the draft and "
                "answer requests to see it."
            ),
            (
                "Sharing ends as soon as the person leaves their organisation, or the organisation leaves the "
                "partnership."
            ),
        ),
        guide=f"{EVERYDAY}#share-a-plan",
        views="plans:sharing plans:openings plans:ask plans:answer",
    ),
    Topic(
        key="comments-on-plans",
        title="Comments on a plan",
        does="This page shows comments on the published plan or on the draft, with their replies. A comment can be "
        "about the whole plan or one piece, and can mention people, who get an email.",
        who=(
            (
                "People in the organisations that own the plan, or take part in its partnership, can "
                "comment on a version, observers included."
            ),
            "If the network or everyone can read the plan, people of any organisation can comment.",
            (
                "Editors and leads in an organisation that owns the plan can comment on the draft. So can people they "
                "have shared it with for comment."
            ),
            "The author of a comment can mark it as resolved, and so can editors and leads of the plan’s owners.",
        ),
        guide=f"{EVERYDAY}#share-a-plan",
        views="plans:comments plans:draft-comments plans:reply",
    ),
    Topic(
        key="sign-a-plan",
        title="Sign a plan",
        does="This page shows who must sign which version, and by when. It says whether they approved it, approved it "
        "with a condition, or rejected it. An approval with a condition counts once the organisation that set the "
        "condition confirms that it is met.",
        who=(
            "Leads in an organisation that owns the plan can choose who must sign and by when.",
            "Leads of the organisation that must sign can decide here, or use the link in their email.",
        ),
        guide=f"{EVERYDAY}#sign-a-plan",
        views="plans:signing plans:request-signatures plans:remove-signatory plans:due-day plans:condition "
        "plans:sign-by-link",
    ),
    Topic(
        key="owners-of-plans",
        title="Owners of a plan",
        does="This page shows who owns a plan now and owned it before. An owner can offer the plan to another member "
        "of its partnership, to share ownership or to hand it over. An owner can give the plan up if there is another "
        "owner.",
        who=(
            "Leads in an organisation that owns the plan can offer it to others and give it up.",
            "Leads of the organisation that is offered the plan can accept or decline.",
        ),
        guide="plans/#owners",
        views="plans:owners plans:ownership plans:offer plans:answer-ownership plans:give-up",
    ),
    Topic(
        key="answers-about-plans",
        title="Answers about a plan",
        does="This page shows what stakeholders and partners say about a plan. You see their comments and answers, "
        "whether they have read it and whether it concerns them. We show what stakeholders write to others once you "
        "approve it.",
        who=(
            "Leads of the plan’s owners read answers first, and can show or refuse them.",
            "Once they are shown, everyone who can read the whole plan sees them.",
        ),
        guide="answers/",
        views="answers:plan answers:ask answers:refuse answers:file answers:incoming",
    ),
    Topic(
        key="answer-by-link",
        title="Comment on a plan without an account",
        does="You reach this page through the link in your email. You can say that you have read the plan, comment, "
        "answer a question, correct your name, or name a colleague. We send nothing before you press the button.",
        who=(
            "Only you can use the link. Do not pass it on.",
            "The leads of the plan’s owners read what you write, and decide whether others see it.",
        ),
        guide="answers/#what-a-stakeholder-can-do",
        views="answers:by-link answers:colleague-by-link answers:comment-by-link answers:name-by-link "
        "answers:question-by-link answers:reply-by-link",
    ),
)
