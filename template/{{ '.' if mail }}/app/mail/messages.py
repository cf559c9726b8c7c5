"""The texts of mails: the files in `templates/`, which can be replaced by translations.

The first line of a text file is the subject, and `layout.html` is around the content of each HTML
file. `$app` is the name of the application, and `$link` a page of the frontend, with the token if the
mail has one. Names of users are left out: anyone can register with another person's email, and enter
an advertisement as the name.
"""

from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from app import TITLE
from app.mail.outbox import Kind, Mail
from app.mail.settings import MailSettings

TEMPLATES = Path(__file__).with_name("templates")
# The pages of the frontend that links lead to.
PAGES = {
    Kind.VERIFY_EMAIL: "verify-email",
    Kind.CHANGE_EMAIL: "verify-email",
    Kind.RESET_PASSWORD: "reset-password",
    Kind.EMAIL_TAKEN: "forgot-password",
    Kind.EMAIL_CHANGE_REQUESTED: "forgot-password",
    Kind.PASSWORD_CHANGED: "forgot-password",
}


@cache
def _template(name: str) -> Template:
    return Template((TEMPLATES / name).read_text(encoding="utf-8"))


def compose(mail: Mail, settings: MailSettings) -> EmailMessage:
    """Compose a mail, as text and as HTML."""
    link = f"{settings.links_url}/{PAGES[mail.kind]}"
    if mail.token is not None:
        link += f"?token={mail.token}"
    # The subject is a header, which cannot contain line breaks.
    values = {"app": " ".join(TITLE.split()), "link": link}
    escaped = {name: escape(value) for name, value in values.items()}
    subject, _, body = _template(f"{mail.kind}.txt").substitute(values).partition("\n")
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = settings.mail_from
    message["To"] = mail.recipient
    message["Date"] = format_datetime(mail.created_at)
    # The same for each attempt, so that a mail that arrives twice can be recognized.
    message["Message-ID"] = f"<{mail.id}@{parseaddr(settings.mail_from)[1].rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body.strip() + "\n")
    content = _template(f"{mail.kind}.html").substitute(escaped)
    html = _template("layout.html").substitute(subject=escape(subject), content=content)
    message.add_alternative(html, subtype="html")
    return message
