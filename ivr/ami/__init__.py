"""The watch on Asterisk's manager (AMI): how the trunks stand, and who tries to come in. It reads and never acts."""
