"""What can be changed, one verb a function, each inside one `Work`."""
