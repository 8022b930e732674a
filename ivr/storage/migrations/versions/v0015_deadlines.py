"""Every open task has a deadline: those of before that had none are due since they were opened."""

import sqlalchemy as sa
from alembic import op

from ivr.storage.columns import Moment

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_FOLLOW_UPS = sa.table("follow_ups", sa.column("opened_at", Moment()), sa.column("due_at", Moment()))


def upgrade() -> None:
    op.execute(sa.update(_FOLLOW_UPS).where(_FOLLOW_UPS.c.due_at.is_(None)).values(due_at=_FOLLOW_UPS.c.opened_at))
