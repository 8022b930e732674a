"""What every call of one running service shares. A call takes it at its beginning and keeps it; see ivr.live."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from ivr.config import Config
from ivr.loading import CALL_FRAME
from ivr.prompts import Prompts
from ivr.questionnaire.model import Questionnaire
from ivr.storage.database import Database, HurriedDatabase

#: How long somebody on the line is left in silence for a row. With what is heard before and after it stays below 10 s;
#: SQLite itself waits 5 s for a lock of another process.
PATIENCE_SECONDS = 6.0


@dataclass(frozen=True)
class Site:
    """One installation, running."""

    config: Config
    questionnaire: Questionnaire  #: the version for new sessions
    prompts: Prompts
    database: Database
    now: Callable[[], datetime]  #: aware
    new_id: Callable[[], str]  #: never the same twice

    def for_caller(self) -> "Site":
        """The same for one call: somebody listens, so nothing is waited for longer than PATIENCE_SECONDS."""
        if isinstance(self.database, HurriedDatabase):
            return self
        return replace(self, database=HurriedDatabase(self.database, PATIENCE_SECONDS))

    def today(self) -> date:
        """The day in the centre's time zone; a session belongs to the day on which it began."""
        return self.now().astimezone(self.config.centre.zone).date()

    def language_for(self, wanted: str) -> str:
        """The language of a call with somebody who speaks `wanted`: that, if all that is said in a call exists in it.

        Else the questionnaire's.
        """
        spoken = wanted in self.questionnaire.languages and not self.prompts.missing(CALL_FRAME, wanted)
        return wanted if spoken else self.questionnaire.language
