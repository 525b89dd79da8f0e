"""From losses to the scalar that is broadcast."""
