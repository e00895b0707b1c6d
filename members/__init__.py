"""Who: users, companies, roles, members, lists, invitations, tokens, audit and notices."""
