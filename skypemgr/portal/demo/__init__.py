"""A company to look at, made by the verbs that everybody else uses.

Its one rule: everything is booked in order of time, nothing later than now; begun and broken off,
it goes on where it stopped.
"""
