"""What a key performance indicator is: its catalogue entry and the envelope of its values."""
