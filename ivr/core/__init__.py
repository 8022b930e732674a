"""What everything else is built on: pure, and knows nothing of telephones, tables or settings."""
