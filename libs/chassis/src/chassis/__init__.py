"""What all Tandem services share; it knows none of them."""
