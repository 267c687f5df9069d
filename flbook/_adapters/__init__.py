"""What a framework's models tell of themselves on some inputs, as plain arrays."""
