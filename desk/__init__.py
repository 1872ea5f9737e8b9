"""The desk: what people of the bank need beyond the pages of single rows. So far that is the evidence of a loan.

It reads the other apps and calls their services, so it may import all of them; of the product nothing imports it. Its
command is `manage.py evidence LOAN_ID`, which prints the evidence of a loan.
"""
