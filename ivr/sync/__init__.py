"""What goes to the centre and how: documents, the decisions about their delivery, and the ways out."""
