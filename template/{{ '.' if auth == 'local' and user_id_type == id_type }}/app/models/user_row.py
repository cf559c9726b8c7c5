"""The base class of the table of users, whose ids are like those of other rows."""

from app.models.row import ID_TYPE, Id, Row

UserId = Id
USER_ID_TYPE = ID_TYPE
UserRow = Row
