"""Tools that simulate no layer of the user's: doctor, lint, synthesis, the networks page."""
