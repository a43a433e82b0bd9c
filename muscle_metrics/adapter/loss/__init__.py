"""The compatibility loss: its strategies, its reference and its fused form."""
