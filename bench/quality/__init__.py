"""How good the photos are, in figures: cut-out, placement and refusal (`make bench-quality`)."""
