"""Settings of emails and digests."""

from __future__ import annotations

from email.utils import parseaddr

from housing.declarations import checks
from housing.declarations.setting import (
    DECIMAL,
    FLAG,
    NUMBER,
    OBJECT,
    SENDERS,
    WEB,
    WORKER,
    Section,
    Setting,
)

BOTH = f"{WEB}, {WORKER}"

SENDING = Section(
    "Sending emails",
    (
        Setting(
            name="EMAIL_URL",
            default="smtp://localhost:2525",
            default_words="embedded",
            secret=True,
            required=True,
            needed_by=SENDERS,
            example="smtp+tls://USER:PASSWORD@mail.example:587",
            check=checks.scheme(
                "smtp",
                "smtp+tls",
                "smtp+ssl",
                undocumented=("smtps", "filemail", "consolemail", "memorymail", "dummymail"),
            ),
            meaning="The mail server: `smtp://`, `smtp+tls://` or `smtp+ssl://`.",
        ),
        Setting(
            name="DEFAULT_FROM_EMAIL",
            default="Common Ground <digests@ground.example>",
            required=True,
            example="Common Ground <digests@ground.example>",
            meaning="The sender of all emails.",
        ),
        Setting(
            name="EMAIL_BACKEND",
            default_words="from `EMAIL_URL`",
            needed_by=SENDERS,
            meaning="The Python path of a provider's email backend, instead of SMTP.",
        ),
        Setting(
            name="ANYMAIL",
            kind=OBJECT,
            default={},
            default_words="`{}`",
            secret=True,
            needed_by=f"{SENDERS}, {WEB}",
            meaning="The provider's settings, as JSON. See the documentation of django-anymail.",
        ),
        Setting(
            name="EMAIL_WEBHOOK_SECRET",
            secret=True,
            needed_by=WEB,
            meaning="The secret with which the mail provider signs its reports of bounces. Without it, the page for "
            "these reports does not exist.",
        ),
        Setting(
            name="EMAIL_TIMEOUT",
            kind=NUMBER,
            default=10,
            needed_by=SENDERS,
            check=checks.at_least(1),
            meaning="Seconds for connecting and for each SMTP command. Five times this plus 10 s must not exceed "
            "`EMAIL_LEASE_SECONDS`.",
        ),
        Setting(
            name="EMAIL_DATA_TIMEOUT",
            kind=DECIMAL,
            default=600,
            needed_by=SENDERS,
            check=checks.at_least_setting(
                "EMAIL_TIMEOUT",
                reason="RFC 5321 (4.5.3.2.6) asks clients to wait 600 s for the answer to the end of DATA.",
            ),
            meaning="Seconds for the server's answer after the end of an email (RFC 5321, 4.5.3.2.6).",
        ),
        Setting(
            name="EMAIL_STALL_TIMEOUT",
            kind=DECIMAL,
            default=180,
            needed_by=SENDERS,
            check=checks.at_least_setting("EMAIL_TIMEOUT"),
            meaning="Seconds without any progress after which the sending of an email ends (RFC 5321, 4.5.3.2.5). The "
            "email is tried again later.",
        ),
        Setting(
            name="EMAIL_BODY_TIMEOUT",
            kind=DECIMAL,
            default=3600,
            needed_by=SENDERS,
            check=checks.at_least_setting("EMAIL_STALL_TIMEOUT"),
            meaning="Limit in seconds on sending one email, even if it makes progress. 20 MB in an hour are about "
            "45 kbit/s.",
        ),
        Setting(
            name="EMAIL_CA_FILE",
            needed_by=SENDERS,
            default_words="the system's",
            meaning="A file of certificate authorities for the mail server, if they are not the system's.",
        ),
        Setting(
            name="EMAIL_TLS_VERIFY",
            kind=FLAG,
            default=True,
            needed_by=SENDERS,
            meaning="`0` sends emails even if the mail server's certificate is wrong. Others could then read them.",
        ),
        Setting(
            name="EMAIL_PER_MINUTE",
            kind=NUMBER,
            default=0,
            needed_by=SENDERS,
            meaning="Maximum number of emails a minute. `0`: no limit.",
        ),
        Setting(
            name="EMAIL_PER_DOMAIN_PER_MINUTE",
            kind=NUMBER,
            default=0,
            needed_by=SENDERS,
            meaning="Maximum number of emails a minute to one domain. `0`: no limit.",
        ),
        Setting(
            name="EMAIL_PER_DOMAIN_PER_HOUR",
            kind=NUMBER,
            default=20_000,
            needed_by=SENDERS,
            meaning="Maximum number of emails an hour to one domain. `0`: no limit.",
        ),
        Setting(
            name="EMAIL_LEASE_SECONDS",
            kind=NUMBER,
            default=60,
            needed_by=SENDERS,
            check=checks.lease,
            meaning="Seconds for which a worker claims an email. After that, another worker may send it.",
        ),
        Setting(
            name="EMAIL_RETRY_SECONDS",
            kind=DECIMAL,
            default=10,
            needed_by=SENDERS,
            meaning="Seconds before the first retry. Each later retry waits twice as long, up to an hour. The first "
            "retry of an email that may have arrived waits 60 times as long, the next one 360 times.",
        ),
        Setting(
            name="EMAILS_HELD",
            kind=FLAG,
            default=False,
            meaning="`1` sends only account emails. Use it after a restore, until you have checked the data "
            "([backup and restore](deploy.md#backup-and-restore)).",
        ),
        Setting(
            name="MAIL_PAGE",
            needed_by=WEB,
            meaning="The address of a mail catcher's page, to which the first steps link. `make run` sets it.",
        ),
    ),
)

RECEIVING = Section(
    "Digests and replies",
    (
        Setting(
            name="EMAIL_MAILBOX",
            default=lambda values: parseaddr(values["DEFAULT_FROM_EMAIL"])[1],
            default_words="the address in `DEFAULT_FROM_EMAIL`",
            check=checks.mailbox,
            meaning="The envelope's sender. It gets bounces, and emails that ask to unsubscribe "
            "([digests](digests.md)).",
        ),
        Setting(
            name="EMAIL_MAILBOX_PATH",
            needed_by=WORKER,
            meaning="The Maildir of that mailbox, which a job reads every minute ([the "
            "mailbox](deploy.md#the-mailbox)). Without it, nothing reads the mailbox.",
        ),
        Setting(
            name="EMAIL_REPLIES",
            default=lambda values: values["EMAIL_MAILBOX"],
            default_words="`EMAIL_MAILBOX`",
            meaning="The mailbox for replies and forwarded emails ([answers](answers.md#replies-by-email)). It must "
            "accept `name+anything@domain`. `none`: people cannot reply to emails.",
        ),
        Setting(
            name="DIGEST_REPLY_TO",
            meaning="An address that your staff read. Replies to digests go there, and Common Ground does not read "
            "them.",
        ),
        Setting(
            name="DIGEST_SETTLE_MINUTES",
            kind=DECIMAL,
            default=10,
            needed_by=BOTH,
            meaning='How many minutes "at once" digests wait for further changes.',
        ),
        Setting(
            name="NOTICES_AT_ONCE",
            kind=FLAG,
            default=False,
            needed_by=BOTH,
            meaning="`1`: people who have not chosen otherwise get an email for every step, instead of one summary a "
            "day ([inbox](inbox.md)).",
        ),
    ),
)
