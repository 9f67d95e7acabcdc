"""Agent Cert: a decision certified by a receipt. Everything else of it is the native API's."""
