"""oHallo's contract: policy entries of workspaces, and what surrounds them."""
