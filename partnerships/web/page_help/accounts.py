"""Help about signing in, your account, your emails, and the site itself."""

from __future__ import annotations

from partnerships.web.page_help.topic import EVERYDAY, Topic

TOPICS = (
    Topic(
        key="home",
        title="Home and My work",
        does="Home shows what is waiting for you, what changed lately, and what matches your asks and offers. My "
        "work lists everything that is waiting for you, by partnership, oldest first. First steps guide a new "
        "administrator or lead to the first partnership.",
        who=("Everyone sees their own work.",),
        guide=f"{EVERYDAY}#see-what-waits-for-you",
        views="web:home web:my-work web:first-steps web:help web:page-help web:read-date",
    ),
    Topic(
        key="sign-in",
        title="Sign in",
        does="Sign in with your email address and password, a passkey, or your organisation’s own sign-in page. If you "
        "have forgotten your password, ask for a link by email. We may ask leads and administrators for a second "
        "factor.",
        who=(
            "You need an invitation to get an account. Ask your organisation’s lead.",
            "If your organisation is not here, ask an administrator for access.",
        ),
        guide="accounts/#signing-in",
        views="account_login account_logout account_signup account_inactive account_reset_password "
        "account_reset_password_done account_reset_password_from_key account_reset_password_from_key_done "
        "account_confirm_login_code account_confirm_email account_email_verification_sent account_reauthenticate "
        "mfa_authenticate mfa_login_webauthn mfa_reauthenticate mfa_reauthenticate_webauthn "
        "socialaccount_login_cancelled socialaccount_login_error socialaccount_signup openid_connect_login "
        "openid_connect_callback people:begin organisations:accept-invitation",
    ),
    Topic(
        key="account",
        title="Your account",
        does="This page shows your details, ways to sign in, second factors and open sessions. You can change each of "
        "these, end sessions that are not yours, and download everything we hold about you.",
        who=(
            "Only you see this page.",
            "If you lose your second factors, an administrator removes them after checking that it is you.",
        ),
        guide="accounts/#signing-in",
        views="people:account people:details people:own-data account_change_password account_set_password "
        "account_email mfa_index mfa_activate_totp mfa_deactivate_totp mfa_add_webauthn mfa_edit_webauthn "
        "mfa_list_webauthn mfa_remove_webauthn mfa_view_recovery_codes mfa_generate_recovery_codes "
        "mfa_download_recovery_codes usersessions_list socialaccount_connections",
    ),
    Topic(
        key="inbox",
        title="Inbox",
        does="Your inbox keeps every notice for 12 months, by partnership, with the newest first. It keeps notices "
        "that we emailed too. You can show notices of one kind, or only unread ones. Opening a notice marks it as "
        "read.",
        who=("Only you see your notices.",),
        guide="inbox/",
        views="digests:inbox digests:inbox-open",
    ),
    Topic(
        key="emails-you-get",
        title="Emails you get",
        does="This page shows what you follow, how often you get emails, and when the next one comes. You can follow a "
        "plan, a partnership, or one site or milestone. You can also pause or stop digests. Less urgent notices come "
        "in one summary a day.",
        who=(
            "You choose which emails you get, and can stop any of these.",
            (
                "Leads can send digests about their plans and partnerships to everyone with a role, and see who "
                "follows them."
            ),
        ),
        guide=f"{EVERYDAY}#follow-changes",
        views="digests:manage digests:follow-piece digests:last-month digests:stop-all digests:view digests:due",
    ),
    Topic(
        key="emails-by-link",
        title="Emails without an account",
        does="You reach this page through a link in an email. You can say whether you want these emails, choose how "
        "often, read what changed, or stop. Nothing changes until you press the button.",
        who=("Anyone with an email address can be a stakeholder. The link is only for you, so do not pass it on.",),
        guide="digests/#without-an-account",
        views="digests:confirm digests:preferences digests:stop digests:read digests:last-month-by-link "
        "digests:new-links digests:follow",
    ),
    Topic(
        key="stakeholders",
        title="Stakeholders",
        does="This page lists the people without an account who get emails about your plans and partnerships. You can "
        "add a person, correct an address, see what the next email will say, and stop the emails. We ask each "
        "stakeholder first, and they must agree.",
        who=(
            "Editors and leads can add stakeholders to anything that their organisation can read.",
            "Editors and leads of the organisation that added someone can correct the address or stop the emails.",
            "The stakeholder must agree first, and can stop at any time.",
        ),
        guide=f"{EVERYDAY}#tell-stakeholders",
        views="digests:stakeholders digests:stakeholder digests:add-stakeholder digests:correct-address "
        "digests:end-stakeholder digests:export-stakeholders digests:preview digests:who",
    ),
    Topic(
        key="emails-sent",
        title="Emails sent",
        does="This page shows emails that we have sent or will send. It says whether each was accepted, returned or "
        "stopped.",
        who=(
            "Leads can see the emails sent for their organisation. Administrators can see the status of every email.",
            "We never show an email that contained a secret link.",
        ),
        guide="digests/#the-ledger",
        views="digests:ledger digests:entry digests:as-sent web:emails web:email",
    ),
    Topic(
        key="calendars",
        title="Dates in your calendar",
        does="This page gives you a secret address for Outlook, Google Calendar, Apple Calendar or Thunderbird. The "
        "address can be for all your dates, for one partnership, or for a saved view. The calendar always shows what "
        "you can read at the time.",
        who=("Only you should know the address. Make a new address if someone else has seen yours.",),
        guide="calendars/",
        views="calendars:index calendars:own calendars:partnership calendars:view calendars:feed",
    ),
    Topic(
        key="search",
        title="Search",
        does="Search finds words in everything that you can read, including plans and files, as well as people, "
        "references and postcodes. Search shows nothing that you cannot read.",
        who=("Everyone who is signed in can search what they can read.",),
        guide="how-search-works/#what-is-found",
        views="search:search search:suggestions",
    ),
    Topic(
        key="lists",
        title="Lists and saved views",
        does="You can filter, sort, count and download every list. Save what a list shows as a view. You can open the "
        "list with this view every time, share the view, or follow it. We then tell you which rows enter or leave the "
        "view. You can tick rows and change them together.",
        who=(
            (
                "Only you can see your views until you share them. Editors can share them with an "
                "organisation or a partnership."
            ),
            "A shared view shows each reader only what they can read.",
        ),
        guide="lists/#what-a-reader-can-do",
        views="lists:views lists:view lists:save lists:share lists:remove lists:bulk lists:export lists:file "
        "lists:make-file lists:file-download",
    ),
    Topic(
        key="about-this-site",
        title="Privacy, cookies and accessibility",
        does="These pages say who runs this site, and what we keep about people and for how long. They also say which "
        "two cookies the site needs, and how accessible it is.",
        who=("Anyone can read these pages, signed in or not.",),
        guide="privacy/#what-people-can-ask-for",
        views="people:privacy people:cookies people:accessibility security_txt",
    ),
    Topic(
        key="administration",
        title="Administration",
        does="Administrators manage the directory, accounts and imports here and under Administration. Each change "
        "needs a reason, which the history shows. Administrators can view the site as another person for 30 minutes, "
        "and we log this.",
        who=("Only administrators use these pages. They do not act for any organisation.",),
        guide="how-to/set-up-a-network/",
        views="people:grant-administration people:withdraw-administration people:leaver people:remove-second-factor "
        "people:view-as",
    ),
)
