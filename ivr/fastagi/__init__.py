"""The FastAGI driver: calls of a PBX without ARI, and of ours while ARI has no application."""
