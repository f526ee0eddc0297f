"""Import and export of partners' own spreadsheets."""
