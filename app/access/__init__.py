"""What a caller may see, decided in one place: `visible`."""
