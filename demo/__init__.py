"""The demo: two months of a housing cooperative's helpdesk, in our own words and drawings.

Stands at the level of the doors: it may import everything below `config`, and nothing imports it.
`corpus.records(now)` makes the records, the same everywhere, without Django; the command `make_demo`
puts them into an empty database, by way of the services that everybody else uses.

A situation is something a member asks and how it may be answered; they are written by hand in texts/,
a file a language and topic. In their words `{flat}` is a slot and `[[this|that]]` a choice.
"""
