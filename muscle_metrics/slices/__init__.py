"""Where an update broke: kinds of items and of answers in which the negative flip rate stands out.

`find_slices` searches one half of the items and tests what it finds on the other half.
"""
