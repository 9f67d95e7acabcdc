"""Rules found in conversations: what people said of them, and what agents did again and again."""
