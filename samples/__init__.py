"""Small real videos, whole and odd, made on the spot: what tests and benchmarks both work on."""
