"""Tests of people: signing up and in, companies, invitations, accounts, details, roles."""
