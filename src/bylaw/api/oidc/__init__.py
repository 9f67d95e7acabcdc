"""Single sign-on: people come in with a proof of the operator's OpenID provider instead of a password."""
