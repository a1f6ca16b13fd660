"""Pages for people: what was run and what came of it (`report`), a layer at work (`explain`)."""
