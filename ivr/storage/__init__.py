"""The only place with SQL. Nothing outside may know which database it is."""
