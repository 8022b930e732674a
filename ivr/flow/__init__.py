"""A questionnaire as a drawing for the wall."""
