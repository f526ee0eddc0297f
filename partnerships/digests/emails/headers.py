"""The headers of digests and notices: first the shared ones, then those of one recipient."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings

from partnerships.digests.emails.blocks import Block
from partnerships.outbox import message_ids, mime
from partnerships.outbox.message_ids import site_host
from partnerships.outbox.reply_addresses import reply_address, reply_header

#: Asks for no automatic replies (RFC 3834), and announces plain text first and HTML last (RFC 2046).
_CONTENT_HEADERS = (
    "Auto-Submitted: auto-generated\r\n"
    "MIME-Version: 1.0\r\n"
    f'Content-Type: multipart/alternative; boundary="{mime.BOUNDARY}"\r\n'
    "\r\n"
    f"--{mime.BOUNDARY}\r\n"
)
#: The maximum length of a partnership's title in a header, so that the line stays well under 998 characters (RFC 5322).
_MAX_LIST_TITLE = 180


class Addressee(NamedTuple):
    """The recipient of an email, with the values that the email and its links need."""

    person_id: int
    address: str
    name: str
    link_key: str
    is_stakeholder: bool

    @property
    def first_name(self) -> str:
        """Return the first word of the name, for the greeting."""
        return self.name.split()[0]


@lru_cache(maxsize=1)
def static_headers() -> mime.Part:
    """Return the headers that all emails share, up to the first part.

    If DIGEST_REPLY_TO is set, it is the Reply-To of every email. Otherwise `own_headers` gives each email an address of
    its own. The result is cached, so tests that change these settings call `static_headers.cache_clear()`.
    """
    sender = mime.header_line("From", settings.DEFAULT_FROM_EMAIL)
    reply = mime.header_line("Reply-To", settings.DIGEST_REPLY_TO) if settings.DIGEST_REPLY_TO else ""
    return mime.shared_part(sender + reply + _CONTENT_HEADERS)


def own_headers(addressee: Addressee, message_id: str, date: str) -> str:
    """Return the headers that differ between emails. If DIGEST_REPLY_TO is empty, Reply-To is one of them."""
    reply = ""
    if not settings.DIGEST_REPLY_TO:
        email_id = message_ids.id_in(message_id)
        if email_id:
            reply = reply_header(reply_address(email_id, addressee.person_id, key=addressee.link_key))
    return f"{mime.to_line(addressee.name, addressee.address)}Message-ID: {message_id}\r\nDate: {date}\r\n{reply}"


def list_id(blocks: Sequence[Block]) -> str:
    """Return the List-Id header (RFC 2919). Email apps sort emails into folders by it.

    Digests about one partnership have a list of their own. All other digests have the list of the site.
    """
    host = site_host()
    partnership_ids = {block.partnership_id for block in blocks}
    if len(partnership_ids) != 1 or None in partnership_ids:
        return f"List-Id: <digests.{host}>\r\n"
    (partnership_id,) = partnership_ids
    # A quoted name may not contain quotes or backslashes, and must be ASCII.
    title = mime.one_line(blocks[0].news.partnership).replace('"', "").replace("\\", "")[:_MAX_LIST_TITLE]
    phrase = f'"{title}" ' if title and title.isascii() else ""
    return f"List-Id: {phrase}<partnership-{partnership_id}.digests.{host}>\r\n"
