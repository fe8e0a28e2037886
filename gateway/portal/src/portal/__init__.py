"""The gateway's own answers: merged documents, tokens, overview."""
