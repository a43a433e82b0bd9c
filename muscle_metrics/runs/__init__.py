"""What a harness recorded: records, runs, and how two of them are joined by id."""
