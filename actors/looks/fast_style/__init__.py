"""The look "fast-style": restyles a film with published feed-forward style networks. Promises each frame by itself; knows no training."""
