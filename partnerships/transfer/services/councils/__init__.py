"""Import councils and combined authorities, with their areas and successions."""

from partnerships.transfer.services.councils.applying import apply_council_answer, apply_councils
from partnerships.transfer.services.councils.areas import update_area_of_code

__all__ = [
    "apply_council_answer",
    "apply_councils",
    "update_area_of_code",
]
