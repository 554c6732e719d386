"""What a CI system does with a pull request: which stacks it touches, what is new in them, one comment."""
