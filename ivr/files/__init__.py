"""What people hand in and take away: text, tables, workbooks, pages. Knows no database and no telephone."""
