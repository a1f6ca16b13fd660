"""Pages for a browser: the report on all that was run, and a layer at work. Each is one file."""
