"""Training examples, their batches, and the answers that models give to them."""
