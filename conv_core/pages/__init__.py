"""Pages for people: what was run and what came of it (`report`), and a layer at work (`explain`)."""
