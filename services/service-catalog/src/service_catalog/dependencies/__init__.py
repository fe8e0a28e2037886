"""Dependencies: which service needs which, and what the failure of one reaches."""
