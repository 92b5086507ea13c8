//! Pure codecs of ACTH: slices in, values out.
