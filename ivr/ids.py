"""The settings of the IDs of persons."""

from pydantic import Field

from ivr.dialling import Part


class Ids(Part):
    """What an ID must be, beside 6 to 8 digits."""

    check_digit: bool = True
    #: Seconds to wait for the first key of an ID or a birth date: somebody looks for the card.
    first_key_seconds: float = Field(default=30, ge=5, le=120)
