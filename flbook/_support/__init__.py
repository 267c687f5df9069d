"""What every room uses: argument checks, array types, arithmetic that does not cancel."""
