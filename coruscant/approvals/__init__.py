"""What one person may not do alone: somebody asks, somebody else agrees, and only then it is done, once.

The apps register what needs two people (`actions.register`); `ask.ask` makes the row, and `decide` agrees, refuses or
withdraws. It imports none of the apps (docs/decisions/0024).
"""
