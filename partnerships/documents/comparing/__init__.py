"""The changes between two contents, in words and figures.

Both contents must be normalised, and of the same reader's class. A `Change` has

    kind        "added", "removed", "changed" or "moved"
    what        "about", the kind of item ("site"), or the counts of an item ("homes")
    key         the item's stable key ("" for about); `anchor` is "sites/north-quay"
    label       the item's title: "North Quay"
    field       the code of the field that changed ("" for a whole item); `field_label` in words
    was, now    the values as stored (whole items when added or removed, places from 0 when moved, counts of lines);
                `was_words` and `now_words` are for people: for keys and codes, they hold the names (`was_name`,
                `now_name`)
    line        counted lines only: the combination; `line_words` in words
    from_line   counts that moved from one period to another only: the combination they left; `was` and `now` are both
                how many moved
    place       the place of an added or moved item in the new list, from 0
    besides     counted lines only: how many moved to the line, or from it (below 0), which is a change of its own
    difference  counted lines only: now - was - besides; `difference_words` is "20 fewer"
    slippage    dates only: `Slippage`, or None; `slippage_words` is "2 quarters later"
    is_text     whether it is prose, to be shown with word-level differences (`kit.text`)
    sentence()  "Homes, Social Rent at North Quay: was 120, now 100 (20 fewer)"
"""
