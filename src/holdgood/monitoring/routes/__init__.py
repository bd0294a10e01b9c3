"""Ways to tell people: webhook, e-mail, Alertmanager. Each sends one message or raises Undelivered with the reason."""

from holdgood.monitoring.routes.message import Message, Undelivered
from holdgood.monitoring.routes.send import send

__all__ = ["Message", "Undelivered", "send"]
