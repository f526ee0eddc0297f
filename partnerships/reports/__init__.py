"""Reports as pages, files and emails, and frozen copies of them."""
