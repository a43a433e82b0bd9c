"""Which part of a text is its answer: named readers, for answers and for references."""
