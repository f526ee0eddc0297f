"""Pages that are the same for plans and terms, such as the form of a piece.

The views of each room check rights, and pass in its addresses, services and templates.
"""

from partnerships.documents.views.conflicts import conflict_context
from partnerships.documents.views.lists import PieceList, PieceRow, piece_lists
from partnerships.documents.views.pieces import (
    Lines,
    Piece,
    Save,
    edit_piece,
    find_piece,
    move_piece,
    remove_piece,
    show_piece,
)

__all__ = [
    "Lines",
    "Piece",
    "PieceList",
    "PieceRow",
    "Save",
    "conflict_context",
    "edit_piece",
    "find_piece",
    "move_piece",
    "piece_lists",
    "remove_piece",
    "show_piece",
]
