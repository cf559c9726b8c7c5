${repr(message)}
<%
    joins = isinstance(down_revision, tuple)
    body = (upgrades or ("" if joins else "op.")) + (downgrades or "")
    phase = config.attributes.get("phases", {}).get(up_revision, "before")
%>
from collections.abc import Sequence

% if "sa." in body:
import sqlalchemy as sa
% endif
% if "op." in body:
from alembic import op
% endif
${imports if imports else ""}
revision: str = ${repr(up_revision)}
down_revision: str | tuple[str, ...] | None = ${repr(down_revision)}
branch_labels: str | Sequence[str] | None = ${repr(branch_labels)}
depends_on: str | Sequence[str] | None = ${repr(depends_on)}
# "before" the new version of the service starts, "after" the old one is gone, or during a "stop".
phase: str = ${repr(phase)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
