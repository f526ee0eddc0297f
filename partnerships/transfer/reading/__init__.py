"""Reading published lists: bytes in, checked records or problems out.

No Django, no input or output.
"""
