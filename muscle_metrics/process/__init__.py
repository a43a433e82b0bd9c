"""What a process leaves behind, and how none of it stays."""
