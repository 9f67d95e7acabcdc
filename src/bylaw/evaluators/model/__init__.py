"""The model as a judge: asked over a record that is data, held to its form, and believed where it quotes."""
