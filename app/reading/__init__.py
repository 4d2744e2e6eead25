"""Each noun declared once; lists, look-ups, edges, counts and cursors follow from the declaration."""
