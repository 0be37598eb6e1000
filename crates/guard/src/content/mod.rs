//! Which texts may pass: validation by characters, masking of personal data, moderation, spam.
