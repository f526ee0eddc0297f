"""Reading published lists: bytes in, checked records or problems out.

It uses neither Django nor input and output.
"""
