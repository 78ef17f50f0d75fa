"""The look "blend": several looks at once."""
