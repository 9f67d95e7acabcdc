"""What is learnt from: the conversations that agents and people had with those whom they serve."""
