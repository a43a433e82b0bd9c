"""One file per host: each brings the same verdicts to where people already look."""
