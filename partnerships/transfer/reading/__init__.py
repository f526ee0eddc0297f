"""Reading published lists and plans: bytes in, checked records or named problems out; no Django, no input or output."""
