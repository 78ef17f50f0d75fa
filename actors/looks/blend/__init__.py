"""The look "blend": mixes the pictures of several looks."""
