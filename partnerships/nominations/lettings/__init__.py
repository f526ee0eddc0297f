"""Lettings of a CORE export.

Which columns are kept, how a row is read, how a return is counted.
"""
