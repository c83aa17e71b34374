//! Texts in Spanish, English and Russian.
