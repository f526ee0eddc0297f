"""Pages of partners' spreadsheets."""
