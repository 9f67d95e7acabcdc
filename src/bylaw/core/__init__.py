"""What every noun stands on: errors, ids, time and canonical bytes. Standard library only."""
