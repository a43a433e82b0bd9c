"""From recorded answers to right, wrong and changed."""
