"""Words shown to people: escaped, shortened, without secrets, in tables that fit a screen."""
