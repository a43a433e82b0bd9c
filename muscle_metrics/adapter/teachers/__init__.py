"""Teachers: the old model, an ensemble, a stored one, or one with another tokenizer."""
