"""Kubernetes manifests as they are rendered, and the rules of this platform that no schema knows."""
