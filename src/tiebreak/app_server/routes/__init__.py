"""The HTTP interface, one module per noun. A function here parses, asks, and answers; decisions are elsewhere."""
