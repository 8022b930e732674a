"""What every call of one running service shares. A call takes it at its beginning and keeps it; see ivr.live."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from ivr.config import Config
from ivr.prompts import Prompts
from ivr.questionnaire.model import Questionnaire
from ivr.storage.database import Database


@dataclass(frozen=True)
class Site:
    """One installation, running."""

    config: Config
    questionnaire: Questionnaire  #: the version for new sessions
    prompts: Prompts
    database: Database
    now: Callable[[], datetime]  #: aware
    new_id: Callable[[], str]  #: never the same twice

    def today(self) -> date:
        """The day in the centre's time zone; a session belongs to the day on which it began."""
        return self.now().astimezone(self.config.centre.zone).date()
