"""Code that every room may import, such as forms, dates, lists, charts and exports. It imports no other room."""
