"""The look and the course "style": networks of one's own that paint in one style or between several. Promises the picture that was learnt; knows no published network."""
