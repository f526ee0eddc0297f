"""The changes between two contents, in words and figures.

Both contents must be normalised, and both must be what the same readers may see. For example, if the homes of a site
fall from 120 to 100, `changes` returns one `Change`:

    change.kind              "changed"
    change.anchor            "sites/north-quay"
    change.field_label       "Homes, Social Rent"
    change.was, change.now   120, 100
    change.difference_words  "20 fewer"
    change.sentence()        "Homes, Social Rent at North Quay: was 120, now 100 (20 fewer)"
"""
