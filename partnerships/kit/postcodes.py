"""Postcodes of the United Kingdom and the Crown Dependencies."""

from __future__ import annotations

import re

#: Postcodes as Royal Mail writes them, with area and district, then sector and unit.
FULL = re.compile(r"\b([A-Z]{1,2})(\d[A-Z\d]?) ?(\d[ABD-HJLNP-UW-Z]{2})\b", re.IGNORECASE)
DISTRICT = re.compile(r"([A-Z]{1,2})(\d[A-Z\d]?)", re.IGNORECASE)
#: The postcode areas (Royal Mail, Postcode Address File).
_AREA_CODES = (
    "AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH "
    "EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M "
    "ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST "
    "SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE"
)
AREAS = frozenset(_AREA_CODES.split())


def read_postcode(text: str) -> str:
    """Return a postcode such as "PO16 7GZ", or a district such as "PO16", in capitals and with one space.

    Returns "" for a blank text. Raises `ValueError` if the text is neither a postcode nor a district.
    """
    compact = "".join(text.split()).upper()
    if not compact:
        return ""
    full_match = FULL.fullmatch(compact)
    match = full_match or DISTRICT.fullmatch(compact)
    if match is None or match[1] not in AREAS:
        raise ValueError(f"“{text}” is not a postcode. Enter one like PO16 7GZ, or only its district, PO16.")
    return f"{compact[:-3]} {compact[-3:]}" if full_match else compact
