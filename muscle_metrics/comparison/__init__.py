"""Old against new: the items, their counts, and how both are shown."""
