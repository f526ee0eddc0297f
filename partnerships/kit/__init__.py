"""Code that knows no room: forms, dates, lists, charts, exports."""
