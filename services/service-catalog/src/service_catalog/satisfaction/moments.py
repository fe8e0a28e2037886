"""When invitations and responses are good, and until when."""

from datetime import datetime, timedelta

from chassis.rejection import Fault, Rejection

EDITABLE = timedelta(hours=12)
OPEN_FOR = timedelta(days=30)
OPEN_AT_MOST = timedelta(days=366)
SETTLED = Rejection("conflict", "response-settled", "A response may be changed for twelve hours after it was given.")


def is_settled(answered_at: datetime, now: datetime) -> bool:
    """Tell whether a response can be changed no more."""
    return now - answered_at > EDITABLE


def faults_of_expiry(expires_at: datetime, now: datetime) -> list[Fault]:
    """Return what is wrong with the end of an invitation."""
    if now < expires_at <= now + OPEN_AT_MOST:
        return []
    return [Fault("/expires_at", "out-of-range", "An invitation expires in the future, a year ahead at most.")]


def faults_of_answer(answered_at: datetime, now: datetime) -> list[Fault]:
    """Return what is wrong with the instant of a response."""
    if answered_at <= now:
        return []
    return [Fault("/answered_at", "in-the-future", "This is told when it has been said.")]
