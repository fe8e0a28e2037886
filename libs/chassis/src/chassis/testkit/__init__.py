"""What tests of every service share: databases cloned from migrated templates, tokens, clients."""
