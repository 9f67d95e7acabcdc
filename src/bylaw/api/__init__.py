"""The server's HTTP surface: the native API, its edge and its limits."""
