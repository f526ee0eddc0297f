"""Lettings of a CORE export: which columns are kept, how a row is read, how a return is counted."""
