"""E-mail by SMTP: encrypted before anything is said, the password from the environment."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

from holdgood.core.declared_watch import RouteSpec
from holdgood.monitoring.routes.message import Message, Undelivered
from holdgood.monitoring.routes.webhook import secret_of


def send(route: RouteSpec, message: Message) -> None:
    """One mail to all. The Message-ID is the message's key, so that a second copy can be known as one."""
    try:
        _send(route, message)
    except (
        ValueError
    ) as error:  # a line break in an address, letters beyond ASCII in a password: its words may quote them
        raise Undelivered(f"an address, or the password, is none that mail takes ({type(error).__name__})") from None


def _send(route: RouteSpec, message: Message) -> None:
    mail = EmailMessage()
    mail["Subject"] = message.subject
    mail["From"] = route.sender
    mail["To"] = ", ".join(route.to)
    mail["Message-ID"] = f"<{message.key}@holdgood>"
    mail["References"] = f"<{message.alarm.id}@holdgood>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    try:
        with smtplib.SMTP(route.host, route.port, timeout=route.timeout) as server:
            if route.starttls:
                server.starttls(context=ssl.create_default_context())
            if route.user:
                if not route.starttls:
                    raise Undelivered("a password is not sent unencrypted: set starttls = true, or sign in nowhere")
                server.login(route.user, secret_of(route.password))
            refused = server.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        raise Undelivered(f"the mail server {route.host} did not take it: {_said(error)}") from None
    if refused:
        raise Undelivered(f"the mail server refused {len(refused)} of {len(route.to)} receivers")


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return f"{error.smtp_code} {text}"[:200]
    return str(error)[:200]
