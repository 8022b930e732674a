"""The settings of the IDs of persons."""

from ivr.dialling import Part


class Ids(Part):
    """What an ID must be, beside 6 to 8 digits."""

    check_digit: bool = False
