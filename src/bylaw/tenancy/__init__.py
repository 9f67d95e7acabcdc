"""Who is asking, and for whom: tenants, places, principals, roles, scopes, keys and agents."""
