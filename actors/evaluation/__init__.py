"""What a look is worth, held against the truth. Promises figures whose definitions are published (docs/evaluation.md); knows no training."""
