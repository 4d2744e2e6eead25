"""From a document to response bytes, within limits. Knows nothing of rooms or partners."""
