"""The tokens that answer invitations: each names its organisation and its invitation, and is signed."""

from uuid import UUID

import jwt

from chassis.rejection import Rejection

_ALGORITHM = "HS256"
_PURPOSE = "survey-answer"
# One answer for a token that was made up, has expired or was taken back: it tells nothing of what there is.
NOT_GOOD = Rejection("unauthenticated", "survey-token-invalid", "This token answers no invitation, or not any more.")


class AnswerTokens:
    """Makes and reads the tokens; `key` is shared by all copies of the service, and by nothing else."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, org: str, invitation_id: UUID) -> str:
        """Return the one token of an invitation."""
        claims = {"aud": _PURPOSE, "org": org, "sub": str(invitation_id)}
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, token: str) -> tuple[str, UUID]:
        """Return the organisation and the invitation that a token names; refuse one that is not ours."""
        try:
            claims = jwt.decode(
                token, self._key, algorithms=[_ALGORITHM], audience=_PURPOSE, options={"require": ["aud", "org", "sub"]}
            )
            return str(claims["org"]), UUID(claims["sub"])
        except (jwt.InvalidTokenError, ValueError):
            raise NOT_GOOD.anew() from None
