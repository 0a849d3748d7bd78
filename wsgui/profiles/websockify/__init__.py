"""websockify's command line: its options, and what they are as a profile."""
