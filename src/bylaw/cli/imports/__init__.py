"""`bylaw import`: a product is read through `source`, what was `found` there is sent on to a server."""
