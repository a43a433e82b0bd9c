"""Text and numbers shown to people: escaped, without secrets, in tables that fit a screen."""
