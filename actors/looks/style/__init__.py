"""The look "style": paints with networks trained here, in one style or between several."""
