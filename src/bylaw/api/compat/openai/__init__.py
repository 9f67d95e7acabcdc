"""OpenAI's contract, as far as the gateway serves it: chat completions and the models there are."""
